import { GraphiQL } from "graphiql";
import { useMemo, useRef, useState } from "react";
import { ConversationVariable } from "./ConversationVariable";
import type { DevSession } from "./devSession";
import { createFetcher } from "./fetcher";
import { followReply } from "./follow";
import { ForgetAnswers } from "./ForgetAnswers";
import { LivePanel } from "./LivePanel";
import { addPayload, emptyLog } from "./liveLog";
import { defaultTabs, sentTurn } from "./operations";
import { SchemaLoader } from "./SchemaLoader";
import { openSocket, type SocketState } from "./socket";
import { Toolbar } from "./Toolbar";
import type { TokenSession } from "./tokenSession";

/** The page: the toolbar, GraphiQL, and the live events below its result pane. */
export function App({ session, notice }: { session: DevSession | TokenSession; notice: string }) {
  const [socketState, setSocketState] = useState<SocketState>("idle");
  const [log, setLog] = useState(emptyLog);
  const [follow, setFollow] = useState(true);
  const [conversationId, setConversationId] = useState("");
  const [switches, setSwitches] = useState(0);
  const following = useRef({ wanted: true, stop: () => {} });
  following.current.wanted = follow;

  const socket = useMemo(() => openSocket(session, setSocketState), [session]);
  const fetcher = useMemo(() => {
    const onEvent = (payload: unknown) => setLog((log) => addPayload(log, payload));
    const onAnswer = (payload: unknown) => {
      const turn = sentTurn(payload);
      if (!turn) return;
      setConversationId(turn.conversationId);
      following.current.stop();
      if (following.current.wanted) following.current.stop = followReply(socket, turn, onEvent);
    };
    return createFetcher(session, socket, { onEvent, onAnswer });
  }, [session, socket]);

  // The socket is authenticated as the previous user: close it, so that subscriptions reconnect as the new one.
  // Clear the log, which contains the previous user's data.
  const onSwitch = () => {
    following.current.stop();
    socket.terminate();
    setLog(emptyLog);
    setConversationId("");
    setSwitches((switches) => switches + 1);
  };

  return (
    <div className="page">
      <Toolbar session={session} socket={socketState} notice={notice} onSwitch={onSwitch} />
      <GraphiQL
        fetcher={fetcher}
        defaultTabs={defaultTabs}
        defaultEditorToolsVisibility="variables"
        shouldPersistHeaders={false}
      >
        <GraphiQL.Logo> </GraphiQL.Logo>
        <GraphiQL.Footer>
          <LivePanel log={log} follow={follow} onFollow={setFollow} onClear={() => setLog(emptyLog)} />
        </GraphiQL.Footer>
        <ConversationVariable conversationId={conversationId} />
        <ForgetAnswers switches={switches} />
        <SchemaLoader session={session} />
      </GraphiQL>
    </div>
  );
}
