import { GraphiQL } from "graphiql";
import { useEffect, useMemo, useState } from "react";
import { Conversation } from "./conversation";
import { ConversationVariable } from "./ConversationVariable";
import type { DevSession } from "./devSession";
import { EditorSettings } from "./EditorSettings";
import { createFetcher } from "./fetcher";
import { ForgetAnswers } from "./ForgetAnswers";
import { LivePanel } from "./LivePanel";
import { Notices } from "./Notices";
import { defaultTabs } from "./operations";
import { SchemaLoader } from "./SchemaLoader";
import type { ServerStatus } from "./serverStatus";
import { Socket } from "./socket";
import { useStore } from "./store";
import { Toolbar } from "./Toolbar";
import type { TokenSession } from "./tokenSession";

interface Props {
  session: DevSession | TokenSession;
  server: ServerStatus;
}

/** The page: the toolbar, notices, GraphiQL, and the live events below its result pane. */
export function App({ session, server }: Props) {
  const [switches, setSwitches] = useState(0);
  const [schemaError, setSchemaError] = useState("");
  const { socket, conversation, fetcher } = useMemo(() => {
    const socket = new Socket(session, server);
    const conversation = new Conversation(socket);
    return { socket, conversation, fetcher: createFetcher({ session, server, socket, conversation }) };
  }, [session, server]);
  // Not the whole state: GraphiQL must not render again for every event.
  const id = useStore(conversation.state, ({ id }) => id);
  const away = useStore(server.state) === "away";
  useEffect(() => {
    if (!away) session.retry();
  }, [away, session]);

  // The socket is authenticated as the previous user, and the log contains the previous user's data.
  const onSwitch = () => {
    conversation.close();
    socket.switchUser();
    setSwitches((switches) => switches + 1);
  };

  return (
    <main className="page">
      <Toolbar session={session} server={server} socket={socket} onSwitch={onSwitch} />
      <Notices session={session} server={server} socket={socket} schemaError={schemaError} />
      <GraphiQL
        fetcher={fetcher}
        defaultTabs={defaultTabs}
        defaultEditorToolsVisibility="variables"
        shouldPersistHeaders={false}
      >
        <GraphiQL.Logo> </GraphiQL.Logo>
        <GraphiQL.Footer>
          <LivePanel conversation={conversation} />
        </GraphiQL.Footer>
        <ConversationVariable conversationId={id} />
        <EditorSettings />
        <ForgetAnswers switches={switches} />
        <SchemaLoader session={session} server={server} onError={setSchemaError} />
      </GraphiQL>
    </main>
  );
}
