// Renders a hook in React's strict mode, which mounts every component twice.
import { Window } from "happy-dom";
import { act, createElement, StrictMode } from "react";

const window = new Window();
const globals = { window, document: window.document, navigator: window.navigator, IS_REACT_ACT_ENVIRONMENT: true };
// Node 22 has a navigator, which cannot be assigned.
for (const [name, value] of Object.entries(globals)) Object.defineProperty(globalThis, name, { value, configurable: true });
const { createRoot } = await import("react-dom/client");
const { ErrandProvider } = await import("../dist/index.js");

/** Renders hook(props) and returns its present result, and functions to render again and to unmount. */
export async function renderHook(errand, hook, props) {
  const root = createRoot(window.document.createElement("div"));
  const rendered = { current: undefined };
  const Probe = ({ args }) => {
    rendered.current = hook(args);
    return null;
  };
  const render = (args) =>
    act(async () => root.render(createElement(StrictMode, null, createElement(ErrandProvider, { client: errand }, createElement(Probe, { args })))));
  await render(props);
  return { rendered, render, unmount: () => act(async () => root.unmount()) };
}

export { act };
