import { useState, useSyncExternalStore, type FormEvent, type ReactNode } from "react";
import { DevSession } from "./devSession";
import type { Session, SessionState } from "./session";
import type { SocketState } from "./socket";
import type { TokenSession } from "./tokenSession";

interface Props {
  session: DevSession | TokenSession;
  socket: SocketState;
  notice: string;
  onSwitch(): void;
}

/** The toolbar: the current user and the state of the WebSocket. */
export function Toolbar({ session, socket, notice, onSwitch }: Props) {
  return (
    <header className="bar">
      <strong className="bar-brand">
        Errand <span>playground</span>
      </strong>
      {session instanceof DevSession ? (
        <DevSignIn session={session} onSwitch={onSwitch} />
      ) : (
        <PastedToken session={session} onSwitch={onSwitch} />
      )}
      {notice && <span className="bar-notice">{notice}</span>}
      <span className="bar-socket" data-state={socket} title="The WebSocket is open while something is subscribed">
        WebSocket {socket}
      </span>
    </header>
  );
}

const PEOPLE = ["alice", "bob", "carol"];

const DOING: Record<SessionState["kind"], string> = {
  none: "signing in as",
  "signing-in": "signing in as",
  "signed-in": "signed in as",
  failed: "not signed in as",
  pasted: "",
};

function DevSignIn({ session, onSwitch }: { session: DevSession; onSwitch(): void }) {
  const state = useSessionState(session);
  const user = "user" in state ? state.user : "";
  const people = PEOPLE.includes(user) || !user ? PEOPLE : [...PEOPLE, user];
  const switchTo = (name: string) => {
    session.signInAs(name);
    onSwitch();
  };
  return (
    <div className="bar-group" role="group" aria-label="Development sign-in">
      <span>Development sign-in: {DOING[state.kind]}</span>
      <span className="bar-people">
        {people.map((name) => (
          <button key={name} type="button" aria-pressed={name === user} onClick={() => switchTo(name)}>
            {name}
          </button>
        ))}
      </span>
      <OneField label="Another name" placeholder="another name" submit="Switch" onSubmit={switchTo} />
      {state.kind === "failed" && (
        <Failure>
          Sign-in failed: {state.reason}
          <button type="button" onClick={() => switchTo(user)}>
            Try again
          </button>
        </Failure>
      )}
    </div>
  );
}

function PastedToken({ session, onSwitch }: { session: TokenSession; onSwitch(): void }) {
  const state = useSessionState(session);
  const use = (token: string) => {
    session.use(token);
    onSwitch();
  };
  return (
    <div className="bar-group" role="group" aria-label="Access token">
      {state.kind === "pasted" ? (
        <>
          <span>Using the token you pasted</span>
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

function Failure({ children }: { children: ReactNode }) {
  return (
    <span className="bar-failure" role="alert">
      {children}
    </span>
  );
}

function useSessionState(session: Session) {
  return useSyncExternalStore(session.subscribe, session.state);
}
