package ws

// CloseReasons returns all close reasons.
func CloseReasons() []CloseReason {
	return []CloseReason{
		CloseTerminated, CloseProtocolError, CloseInvalidText, CloseTooLarge, CloseRestart, CloseTryLater,
		CloseTokenUnverified, CloseBadMessage, CloseUnauthorized, CloseNoToken, CloseForbidden,
		CloseTokenExpired, CloseSignedOut, CloseAccountDeleted, CloseBadSubprotocol, CloseInitTimeout, CloseDuplicateID,
		CloseTooManyInits, CloseSlowReader,
	}
}
