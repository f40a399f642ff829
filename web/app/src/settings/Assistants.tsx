import { useState } from "react";
import { base } from "../base";
import { CopyButton } from "../chat/Markdown";
import { useTexts } from "../texts";

interface Client {
  name: string;
  /** The file that the text is a part of; a command without one. */
  file?: string;
  text(url: string, token: string): string;
}

const json = (value: unknown) => JSON.stringify(value, null, 2);
const headers = (token: string) => token && { headers: { Authorization: `Bearer ${token}` } };

/** Claude Desktop starts programs only; this one forwards to the server. */
function forwarder(url: string, token: string) {
  const { protocol, hostname } = new URL(url);
  const isPlain = protocol === "http:" && !/^(localhost|127\.0\.0\.1|\[::1\])$/.test(hostname);
  // A space within an argument would split it on Windows.
  const header = token ? ["--header", "Authorization:${AUTH_HEADER}"] : [];
  const args = ["-y", "mcp-remote", url, ...(isPlain ? ["--allow-http"] : []), ...header];
  return { command: "npx", args, ...(token && { env: { AUTH_HEADER: `Bearer ${token}` } }) };
}

const clients: readonly Client[] = [
  {
    name: "Claude Code",
    text: (url, token) => `claude mcp add --transport http errand ${url}${token && ` --header "Authorization: Bearer ${token}"`}`,
  },
  {
    name: "Claude Desktop",
    file: "claude_desktop_config.json",
    text: (url, token) => json({ mcpServers: { errand: forwarder(url, token) } }),
  },
  {
    name: "Codex",
    file: "~/.codex/config.toml",
    // It takes a token from the environment only.
    text: (url, token) =>
      `${token && `# ERRAND_TOKEN=${token}\n`}[mcp_servers.errand]\nurl = "${url}"${token && '\nbearer_token_env_var = "ERRAND_TOKEN"'}`,
  },
  { name: "Cursor", file: "~/.cursor/mcp.json", text: (url, token) => json({ mcpServers: { errand: { url, ...headers(token) } } }) },
  { name: "Gemini CLI", file: "~/.gemini/settings.json", text: (url, token) => json({ mcpServers: { errand: { httpUrl: url, ...headers(token) } } }) },
  { name: "VS Code", file: ".vscode/mcp.json", text: (url, token) => json({ servers: { errand: { type: "http", url, ...headers(token) } } }) },
];

/** What to enter in assistants, so that they work on the same tasks. `secret` is that of a new API token, or empty. */
export function Assistants({ secret }: { secret: string }) {
  const { t } = useTexts();
  const [chosen, setChosen] = useState(0);
  const [token, setToken] = useState(secret);
  const { file, text: textOf } = clients[chosen]!;
  const text = textOf(new URL("mcp", base).href, token.trim());
  return (
    <section aria-labelledby="settings-assistants">
      <h2 id="settings-assistants">{t("settings.assistants")}</h2>
      <p className="hint">{t("settings.assistantsHint")}</p>
      <label>
        <span>{t("assistants.client")}</span>
        <select value={chosen} onChange={(event) => setChosen(Number(event.target.value))}>
          {clients.map(({ name }, index) => <option key={name} value={index}>{name}</option>)}
        </select>
      </label>
      <label>
        <span>{t("assistants.tokenLabel")}</span>
        <input value={token} autoComplete="off" spellCheck={false} dir="ltr" onChange={(event) => setToken(event.target.value)} />
      </label>
      <p className="hint">{t("assistants.token")}</p>
      <p>{file ? t("assistants.file", { file }) : t("assistants.command")}</p>
      <div className="block">
        <pre tabIndex={0} dir="ltr"><code>{text}</code></pre>
        <CopyButton text={text} label="chat.copyCode" />
      </div>
    </section>
  );
}
