import { useErrand } from "@errand/react";
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from "react";
import { USER } from "../session/session";
import { save } from "../store";
import { DateFormat } from "../texts/format";
import { useTexts } from "../texts";
import { ServerDocument, ViewerDocument, type ServerQuery, type ViewerQuery } from "./operations";

/** What the page knows about the server and its user; null until it is loaded, or without the scope for it. */
export interface ServerState {
  server: ServerQuery["serverInfo"] | null;
  viewer: ViewerQuery["viewer"] | null;
  /** Loads the viewer again, after a change of the settings. */
  reloadViewer(): Promise<void>;
}

const Context = createContext<ServerState>({ server: null, viewer: null, reloadViewer: async () => {} });

/** Loads the server's facts and the viewer once for all views. */
export function ServerProvider({ children }: { children: ReactNode }) {
  const errand = useErrand();
  const [server, setServer] = useState<ServerState["server"]>(null);
  const [viewer, setViewer] = useState<ServerState["viewer"]>(null);
  const reloadViewer = useCallback(
    () => errand.query(ViewerDocument, {}).then(
        ({ viewer: loaded }) => setViewer(loaded),
        () => {}, // without the scope `account`
      ),
    [errand],
  );
  useEffect(() => {
    let ended = false;
    const read = async () => {
      while (!ended) {
        try {
          const data = await errand.query(ServerDocument, {});
          if (!ended) setServer(data.serverInfo);
          break;
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 5_000));
        }
      }
      if (!ended) await reloadViewer();
    };
    void read();
    return () => void (ended = true);
  }, [errand, reloadViewer]);
  const id = viewer?.id;
  useEffect(() => {
    if (id) save(USER, id);
  }, [id]);
  const state = useMemo(() => ({ server, viewer, reloadViewer }), [server, viewer, reloadViewer]);
  return <Context value={state}>{children}</Context>;
}

export const useServer = (): ServerState => useContext(Context);

/** Formats dates in the user's locale and in the time zone of the account. */
export function useDates(): DateFormat {
  const { locale } = useTexts();
  const timeZone = useServer().viewer?.timeZone;
  return useMemo(() => new DateFormat(locale, timeZone), [locale, timeZone]);
}
