// Package graphqlhttp serves one GraphQL schema at one path over all transports that front ends use: POST and GET
// (GraphQL over HTTP), WebSocket (graphql-transport-ws, and graphql-ws for old Apollo clients), server-sent events
// (graphql-sse, distinct connections mode), and multipart/mixed for Apollo's subscriptions and for @defer.
//
// Package exec decodes, checks and executes the requests of all transports. Package ws serves the WebSockets. This
// package negotiates the response format, checks origins and reads and writes HTTP.
//
// # HTTP statuses
//
//	200  data without errors; with application/json every well-formed request, also with errors
//	     or rejected
//	294  data with errors, also when the response became too large (not with application/json)
//	400  not a GraphQL request; a document that cannot be parsed, or a hash without its document
//	     (the last two: not with application/json)
//	401  the Authorization header is not "Bearer TOKEN", or the token is invalid
//	403  forbidden: a request forged by another site, a page of an origin that is not allowed, or a
//	     document that is not on the allow-list (the last: not with application/json)
//	405  a method other than POST and GET, or a mutation by GET
//	406  no format that Accept allows can carry the response
//	408  the request body did not arrive in time
//	413  the request body is too large
//	415  POST with a content type other than application/json, or compressed
//	422  the document is not valid, a variable does not fit its type, the operation name names no
//	     operation, or a limit is exceeded (not with application/json)
//	429  too many requests in progress, open streams or sockets of this user
//	431  the URL and headers are too large (from net/http, in plain text)
//	503  too many connections, the server shuts down, or the token could not be verified
//
// These are the statuses of GraphQL over HTTP, edition of September 2026. "Not with application/json" means that such a
// response has the status 200 in that media type. Clients of application/graphql-response+json read the body whatever
// the status is.
//
// # WebSocket close codes
//
//	code  meaning                                    what the client should do
//	1000  connection_terminate (legacy)              nothing
//	1002  a frame violates RFC 6455: compressed,     fix the client
//	      unmasked, out of order, ...
//	1007  a message is not UTF-8                     fix the client
//	1009  a message is larger than the limit         fix the client
//	1012  service restart                            reconnect at once and resume
//	1013  too many sockets of this user, or the      reconnect after a pause
//	      token cannot be verified at present
//	4400  a message is not of the protocol           fix the client
//	4401  subscribe before connection_ack            send connection_init first
//	4401  connection_init without a token            send a token in connection_init
//	4403  the token was rejected or revoked, or has  get a new token and reconnect
//	      expired, or the account was deleted
//	4406  no known subprotocol was offered           offer graphql-transport-ws
//	4408  connection_init did not arrive in time     send connection_init at once
//	4409  an operation with that id is in progress   use unique ids
//	4429  connection_init was sent twice             send connection_init once
//	4490  the client reads too slowly                reconnect and resume from the last cursor
//
// A connection that is lost (nothing arrived for two and a half keep-alive intervals) is dropped without a close
// frame. A client that does not read at all may not receive 4490: a close frame cannot overtake the frames before it.
//
// # Tokens on sockets
//
// The token is in the Authorization header of the upgrade ("Bearer TOKEN") or in the connection_init payload, in the
// member authorization, Authorization or token, of the payload or of its member headers. In a payload the token may
// have the prefix "Bearer". Some time before it expires the server sends a ping with the payload
//
//	{"errand":"token-expiring","expiresAt":"2026-11-22T12:00:00Z"}
//
// A client that answers with a ping or pong with the payload {"authorization":"Bearer …"} keeps its subscriptions; the
// server confirms with a pong {"errand":"token-accepted"} or {"errand":"token-refused"}. The token must be of the same
// user. Otherwise the socket is closed with 4403 "Token expired". An SSE stream ends with an UNAUTHENTICATED error and
// complete.
package graphqlhttp
