import { useState, type FormEvent } from "react";
import { DevSession } from "./devSession";
import type { ServerStatus } from "./serverStatus";
import type { SessionState } from "./session";
import type { Socket, SocketState } from "./socket";
import { useStore } from "./store";
import type { TokenSession } from "./tokenSession";

interface Props {
  session: DevSession | TokenSession;
  server: ServerStatus;
  socket: Socket;
  /** Called after a change of the user. */
  onSwitch(): void;
}

const SOCKET: Record<SocketState, string> = {
  idle: "idle",
  connecting: "connecting",
  connected: "connected",
  reconnecting: "reconnecting",
  blocked: "reconnecting",
};

/** The toolbar: the current user and the state of the WebSocket. */
export function Toolbar({ session, server, socket, onSwitch }: Props) {
  const state = useStore(socket.state);
  return (
    <header className="bar">
      <h1 className="bar-brand">
        Errand <span>playground</span>
      </h1>
      {session instanceof DevSession ? (
        <DevSignIn session={session} server={server} onSwitch={onSwitch} />
      ) : (
        <PastedToken session={session} onSwitch={onSwitch} />
      )}
      <span className="bar-socket" role="status" data-state={state} title="The WebSocket is open while something is subscribed">
        WebSocket {SOCKET[state]}
      </span>
    </header>
  );
}

const PEOPLE = ["alice", "bob", "carol"];

const DOING: Record<SessionState["kind"], string> = {
  "signing-in": "signing in as",
  "signed-in": "signed in as",
  failed: "not signed in as",
  none: "",
  pasted: "",
  rejected: "",
};

function DevSignIn({ session, server, onSwitch }: Omit<Props, "socket"> & { session: DevSession }) {
  const state = useStore(session.state);
  const away = useStore(server.state) === "away";
  const user = "user" in state ? state.user : "";
  const people = PEOPLE.includes(user) || !user ? PEOPLE : [...PEOPLE, user];
  const switchTo = (name: string) => {
    session.signInAs(name);
    onSwitch();
  };
  return (
    <div className="bar-group" role="group" aria-label="Development sign-in">
      <span className="bar-label">Development sign-in: {DOING[state.kind]}</span>
      <span className="bar-people">
        {people.map((name) => (
          <button key={name} type="button" aria-pressed={name === user} onClick={() => switchTo(name)}>
            {name}
          </button>
        ))}
      </span>
      <OneField label="Another name" placeholder="another name" submit="Switch" onSubmit={switchTo} />
      {state.kind === "failed" && !away && (
        <span className="bar-failure" role="alert">
          Sign-in failed: {state.reason}
          <button type="button" onClick={() => switchTo(user)}>
            Try again
          </button>
        </span>
      )}
    </div>
  );
}

function PastedToken({ session, onSwitch }: { session: TokenSession; onSwitch(): void }) {
  const state = useStore(session.state);
  const use = (token: string) => {
    session.use(token);
    onSwitch();
  };
  return (
    <div className="bar-group" role="group" aria-label="Access token">
      {state.kind === "pasted" ? (
        <>
          <span>
            Using the token you pasted
            {state.expiresAt && `, valid until ${state.expiresAt.toLocaleTimeString()}`}
          </span>
          <button type="button" onClick={() => use("")}>
            Forget it
          </button>
        </>
      ) : (
        <OneField label="Access token" placeholder="paste an access token" submit="Use" secret onSubmit={use} />
      )}
    </div>
  );
}

interface FieldProps {
  label: string;
  placeholder: string;
  submit: string;
  secret?: boolean;
  onSubmit(value: string): void;
}

function OneField({ label, placeholder, submit, secret, onSubmit }: FieldProps) {
  const [value, setValue] = useState("");
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!value.trim()) return;
    onSubmit(value.trim());
    setValue("");
  };
  return (
    <form className="bar-field" onSubmit={send}>
      <input
        aria-label={label}
        placeholder={placeholder}
        type={secret ? "password" : "text"}
        autoComplete="off"
        spellCheck={false}
        value={value}
        onChange={(event) => setValue(event.target.value)}
      />
      <button type="submit">{submit}</button>
    </form>
  );
}
