import { NO_RESPONSE, type ServerStatus } from "./serverStatus";
import type { Session } from "./session";
import type { Socket } from "./socket";
import { useStore } from "./store";

interface Props {
  session: Session;
  server: ServerStatus;
  socket: Socket;
  /** Why the schema could not be loaded; empty if it could. */
  schemaError: string;
}

/** What keeps the page from working, and what to do about it. */
export function Notices({ session, server, socket, schemaError }: Props) {
  const identity = useStore(session.state);
  const away = useStore(server.state) === "away";
  const blocked = useStore(socket.state) === "blocked";
  return (
    <div className="notices" role="status">
      {away && <p className="notice-fault">{NO_RESPONSE} The page tries again every two seconds.</p>}
      {!away && blocked && (
        <p className="notice-fault">
          The WebSocket does not connect, so there are no live events. A proxy in front of the server must forward
          WebSockets and the Host header. The page keeps trying.
        </p>
      )}
      {identity.kind === "none" && (
        <p>
          This server has no development sign-in, which exists on loopback only and never beside another sign-in. Paste
          an access token from your sign-in above. It stays in this browser tab and is sent to this server only.
        </p>
      )}
      {identity.kind === "rejected" && (
        <p className="notice-fault">The token was rejected: {identity.reason.replace(/\.$/, "")}. Paste a new one above.</p>
      )}
      {!away && schemaError && identity.kind !== "rejected" && <p>{schemaNotice(schemaError)}</p>}
    </div>
  );
}

function schemaNotice(reason: string) {
  if (!/introspection/i.test(reason)) return `The schema could not be loaded: ${reason}`;
  return "Introspection is off on this server: there is no completion and no documentation. Operations run as usual.";
}
