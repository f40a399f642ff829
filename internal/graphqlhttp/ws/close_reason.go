package ws

import "errand/internal/truncate"

// CloseReason is why the server closes a WebSocket: the code and text of the close frame, and what the client should
// do. The table in the documentation of package graphqlhttp lists all of them.
type CloseReason struct {
	Code   int
	Reason string
	Advice Advice
}

// Advice is what a client should do after its socket was closed.
type Advice string

// The advice for each close code.
const (
	AdviceNone           Advice = "nothing"
	AdviceFixClient      Advice = "fix the client"
	AdviceReconnect      Advice = "reconnect at once and resume"
	AdviceReconnectLater Advice = "reconnect after a pause"
	AdviceResume         Advice = "reconnect and resume from the last cursor"
	AdviceInitFirst      Advice = "send connection_init first"
	AdviceSendToken      Advice = "send a token in connection_init"
	AdviceInitAtOnce     Advice = "send connection_init at once"
	AdviceInitOnce       Advice = "send connection_init once"
	AdviceRenewToken     Advice = "get a new token and reconnect"
	AdviceUseSubprotocol Advice = "offer graphql-transport-ws"
	AdviceUseUniqueIDs   Advice = "use unique ids"
	maxCloseReasonBytes         = 120 // a close frame holds 123
)

// The close reasons. Those below 4000 are codes of RFC 6455 and its registry.
var (
	// CloseTerminated follows connection_terminate of the legacy protocol.
	CloseTerminated = CloseReason{Code: 1000, Advice: AdviceNone}
	// CloseProtocolError is for frames that violate RFC 6455.
	CloseProtocolError = CloseReason{Code: 1002, Advice: AdviceFixClient}
	// CloseInvalidText is for text that is not UTF-8.
	CloseInvalidText = CloseReason{Code: 1007, Reason: "Messages must be UTF-8", Advice: AdviceFixClient}
	// CloseTooLarge is for a message over the size limit.
	CloseTooLarge = CloseReason{Code: 1009, Advice: AdviceFixClient}
	// CloseRestart is for a server that shuts down.
	CloseRestart = CloseReason{Code: 1012, Reason: "Service restart; reconnect", Advice: AdviceReconnect}
	// CloseTryLater is for a user with too many sockets.
	CloseTryLater = CloseReason{Code: 1013, Reason: "Too many connections for this user", Advice: AdviceReconnectLater}
	// CloseTokenUnverified is for a token that cannot be verified at present.
	CloseTokenUnverified = CloseReason{Code: 1013, Reason: "The token cannot be verified", Advice: AdviceReconnectLater}
	// CloseBadMessage is for a message that is not of the protocol.
	CloseBadMessage = CloseReason{Code: 4400, Reason: "Invalid message received", Advice: AdviceFixClient}
	// CloseUnauthorized is for an operation before connection_ack.
	CloseUnauthorized = CloseReason{
		Code:   4401,
		Reason: "Unauthorized: send connection_init first",
		Advice: AdviceInitFirst,
	}
	// CloseNoToken is for a connection_init without a token.
	CloseNoToken = CloseReason{
		Code:   4401,
		Reason: "Unauthorized: send a token in connection_init",
		Advice: AdviceSendToken,
	}
	// CloseForbidden is for a token that was rejected.
	CloseForbidden = CloseReason{Code: 4403, Reason: "Forbidden", Advice: AdviceRenewToken}
	// CloseTokenExpired is for a token that expired without a renewal.
	CloseTokenExpired = CloseReason{Code: 4403, Reason: "Token expired", Advice: AdviceRenewToken}
	// CloseSignedOut is for a token whose sign-in session or API token was revoked.
	CloseSignedOut = CloseReason{Code: 4403, Reason: "Forbidden: signed out", Advice: AdviceRenewToken}
	// CloseAccountDeleted is for the sockets of a deleted account.
	CloseAccountDeleted = CloseReason{
		Code:   4403,
		Reason: "Forbidden: this account no longer exists",
		Advice: AdviceRenewToken,
	}
	// CloseBadSubprotocol is for a client that offers only unknown subprotocols.
	CloseBadSubprotocol = CloseReason{Code: 4406, Reason: "Subprotocol not acceptable", Advice: AdviceUseSubprotocol}
	// CloseInitTimeout is for a client that did not send connection_init in time.
	CloseInitTimeout = CloseReason{
		Code:   4408,
		Reason: "Connection initialisation timeout",
		Advice: AdviceInitAtOnce,
	}
	// CloseDuplicateID is for an operation whose ID is in use.
	CloseDuplicateID = CloseReason{Code: 4409, Reason: "Subscriber already exists", Advice: AdviceUseUniqueIDs}
	// CloseTooManyInits is for a second connection_init.
	CloseTooManyInits = CloseReason{Code: 4429, Reason: "Too many initialisation requests", Advice: AdviceInitOnce}
	// CloseSlowReader is for a client that reads too slowly.
	CloseSlowReader = CloseReason{Code: 4490, Reason: "Slow reader: reconnect and resume", Advice: AdviceResume}
)

// closeLost is never sent: RFC 6455's code for a connection that ended without a close frame.
const closeLost = 1006

// withText returns r with a more specific text, truncated to fit into a close frame.
func (r CloseReason) withText(text string) CloseReason {
	r.Reason = truncate.Bytes(text, maxCloseReasonBytes)
	return r
}
