// Package graphqlhttp serves one GraphQL schema at one path over every transport that
// front ends use: POST and GET (GraphQL over HTTP), WebSocket (graphql-transport-ws, and
// graphql-ws for old Apollo clients), server-sent events (graphql-sse, distinct
// connections mode), and multipart/mixed for Apollo's subscriptions and for @defer.
//
// A request goes the same way whatever carried it: decode exactly (request.go), find or
// check the document (documents.go), coerce the variables, estimate the cost, execute
// (operation.go). Only then the formats differ.
//
// # HTTP statuses
//
//	200  executed, also when fields failed or the answer became too large; with
//	     application/json also a document, variables or cost that were refused
//	400  not a GraphQL request; with application/graphql-response+json also a refused document
//	401  a token was sent and is bad
//	403  forbidden: a request forged by another site, or a page from a foreign origin
//	405  a method other than POST and GET, or a mutation by GET
//	406  nothing that Accept allows can carry this answer
//	408  the request body did not arrive in time
//	413  the request body is too large
//	415  POST with another content type than application/json, or compressed
//	429  too many open streams
//	431  the address and headers are too large (net/http says so, in plain text)
//	503  no room, the server stops, or the token could not be checked
//
// # WebSocket close codes
//
//	code  meaning                                    what the client should do
//	1000  connection_terminate (legacy)              nothing
//	1002  a frame broke RFC 6455: compressed,        fix the client
//	      unmasked, out of order, ...
//	1007  a message was not UTF-8                    fix the client
//	1009  a message was larger than the limit        fix the client
//	1012  service restart                            come back at once and resume
//	1013  no room for this user, or the token        come back after a pause
//	      cannot be checked now
//	4400  a message was not of the protocol          fix the client
//	4401  subscribe before connection_ack            send connection_init first
//	4403  the token was refused, or has expired      get a new token, come back
//	4406  no known subprotocol was offered           offer graphql-transport-ws
//	4408  connection_init did not come in time       send it at once
//	4409  an operation with that id is live          use unique ids
//	4429  connection_init came twice                 send it once
//	4490  the client read too slowly                 come back and resume from its cursor
//
// A dead peer (nothing came for two and a half keep-alive pauses) is dropped without a
// code. A client that does not read at all may never see 4490: no frame can overtake the
// one it is stuck in.
//
// # Tokens on sockets
//
// The token comes in the upgrade's Authorization header or in the connection_init payload
// (authorization, Authorization or token, at the top or in headers). Some time before it
// ends the server sends a ping with the payload
//
//	{"errand":"token-expiring","expiresAt":"2026-11-22T12:00:00Z"}
//
// A client that answers with a ping or pong with the payload {"authorization":"Bearer …"}
// keeps its subscriptions; the server confirms with a pong {"errand":"token-accepted"} or
// {"errand":"token-refused"}. The token must be of the same user. Otherwise the socket ends
// with 4403 "Token expired". An SSE stream ends with an UNAUTHENTICATED error and complete.
package graphqlhttp
