import "graphiql/style.css";
import "./playground.css";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { DevSession } from "./devSession";
import { TokenSession } from "./tokenSession";

const config = await fetch("/playground/config.json").then((response) => response.json());
const session = config.devSignIn ? new DevSession() : new TokenSession();
createRoot(document.getElementById("root")!).render(<App session={session} notice={config.notice ?? ""} />);
