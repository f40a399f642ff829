package graphqlhttp

// Close codes that Errand sends; the table in the package comment says what a client
// should do about each.
const (
	// CloseProtocolError is RFC 6455's code for frames that break its rules.
	CloseProtocolError = 1002
	// CloseInvalidText is RFC 6455's code for text that is not UTF-8.
	CloseInvalidText = 1007
	// CloseTooLarge is RFC 6455's code for a message over the size limit.
	CloseTooLarge = 1009
	// CloseRestart says that the server stops; come back at once.
	CloseRestart = 1012
	// CloseTryLater says that there is no room now; come back after a pause.
	CloseTryLater = 1013
	// CloseBadMessage says that a message was not of the protocol.
	CloseBadMessage = 4400
	// CloseUnauthorized says that an operation came before connection_ack.
	CloseUnauthorized = 4401
	// CloseForbidden says that the token was refused, or has expired.
	CloseForbidden = 4403
	// CloseBadSubprotocol says that none of the offered subprotocols is known.
	CloseBadSubprotocol = 4406
	// CloseInitTimeout says that connection_init did not come in time.
	CloseInitTimeout = 4408
	// CloseDuplicateID says that an operation with that id is still live.
	CloseDuplicateID = 4409
	// CloseTooManyInits says that connection_init came twice.
	CloseTooManyInits = 4429
	// CloseSlowReader says that the client read too slowly; come back and resume.
	CloseSlowReader = 4490
	// closeVanished is never sent: RFC 6455's code for a peer that went without a word.
	closeVanished = 1006
)
