import { useConnection } from "@errand/react";
import { useEffect, useState, useSyncExternalStore } from "react";
import { useTexts } from "../texts";

/** A short break is not worth a message. */
const PATIENCE_MS = 1_200;

const subscribe = (listener: () => void) => {
  addEventListener("online", listener);
  addEventListener("offline", listener);
  return () => {
    removeEventListener("online", listener);
    removeEventListener("offline", listener);
  };
};

/** Whether the browser has a network. */
export const useOnline = (): boolean => useSyncExternalStore(subscribe, () => navigator.onLine);

/** The state of the connection, while there is something to say about it. */
export function Connection() {
  const { t } = useTexts();
  const online = useOnline();
  const lost = useConnection() === "lost";
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!lost) return setLate(false);
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [lost]);
  const text = !online ? t("connection.offline") : lost && late ? t("connection.lost") : "";
  return (
    <div className="connection" role="status" data-state={!online ? "offline" : lost ? "lost" : "ok"}>
      {text && <><span className="spinner" aria-hidden="true" />{text}</>}
    </div>
  );
}
