import { useId, useState, type FormEvent } from "react";
import { CopyButton } from "../chat/Markdown";
import { useDates } from "../shell/server";
import { useTexts } from "../texts";
import { Button } from "../ui/Button";
import { Confirm, Dialog } from "../ui/Dialog";
import { messageOf } from "../ui/toasts";
import type { CreateApiTokenInput, TokenScope } from "./operations";
import { useApiTokens, type ApiToken, type NewSecret } from "./useApiTokens";

const scopes: readonly TokenScope[] = ["TASKS_READ", "TASKS_WRITE", "CHAT", "ACCOUNT"];
/** What assistants need. */
const usual: readonly TokenScope[] = ["TASKS_READ", "TASKS_WRITE"];
/** Choices of a token's life in days; 0 is for ever. */
const lives = [30, 90, 365, 0];
const DAY_MS = 86_400_000;

/** The API tokens of the account. `secret` is that of the newest one, until the settings are left. */
export function ApiTokens({ secret, setSecret }: { secret: NewSecret | null; setSecret(secret: NewSecret | null): void }) {
  const { t } = useTexts();
  const { tokens, failure, create, revoke } = useApiTokens();
  const [isCreating, setCreating] = useState(false);
  const [revoked, setRevoked] = useState<ApiToken | null>(null);
  return (
    <section aria-labelledby="settings-tokens">
      <h2 id="settings-tokens">{t("settings.tokens")}</h2>
      <p className="hint">{t("settings.tokensHint")}</p>
      {failure !== null && <p role="alert" className="notice">{t("tokens.loadFailed", { reason: failure })}</p>}
      {tokens?.length === 0 && <p>{t("tokens.empty")}</p>}
      {tokens !== null && tokens.length > 0 && (
        <ul className="entries">
          {tokens.map((token) => <TokenRow key={token.id} token={token} revoke={() => setRevoked(token)} />)}
        </ul>
      )}
      {secret && <Secret secret={secret} close={() => setSecret(null)} />}
      <Button icon="plus" onClick={() => setCreating(true)}>{t("tokens.create")}</Button>
      {isCreating && <CreateToken close={() => setCreating(false)} create={async (input) => setSecret(await create(input))} />}
      {revoked && (
        <Confirm
          title={t("tokens.revokeTitle")}
          text={t("tokens.revokeText", { name: revoked.name })}
          action={t("tokens.revoke")}
          close={() => setRevoked(null)}
          confirm={() => void revoke(revoked)}
        />
      )}
    </section>
  );
}

function TokenRow({ token: { name, hint, scopes: allowed, status, createdAt, expiresAt, lastUsedAt, revokedAt }, revoke }: { token: ApiToken; revoke(): void }) {
  const { t } = useTexts();
  const dates = useDates();
  const end = () => {
    if (revokedAt !== null) return t("tokens.revokedAt", { time: dates.dateTime(revokedAt) });
    if (expiresAt === null) return t("tokens.neverExpires");
    return t(status === "EXPIRED" ? "tokens.expiredAt" : "tokens.expiresAt", { time: dates.dateTime(expiresAt) });
  };
  return (
    <li data-status={status}>
      <div>
        <p className="entry-name">
          <strong dir="auto">{name}</strong> <code dir="ltr">{hint}…</code> <span className="status">{t(`tokens.status.${status}`)}</span>
        </p>
        <p className="hint">{scopes.filter((scope) => allowed.includes(scope)).map((scope) => t(`tokens.scope.${scope}`)).join(" · ")}</p>
        <p className="hint">
          {[t("tokens.createdAt", { time: dates.dateTime(createdAt) }), lastUsedAt === null ? t("tokens.unused") : t("tokens.usedAt", { time: dates.dateTime(lastUsedAt) }), end()].join(" · ")}
        </p>
      </div>
      {status === "ACTIVE" && <Button small variant="danger" aria-label={t("tokens.revokeOne", { name })} onClick={revoke}>{t("tokens.revoke")}</Button>}
    </li>
  );
}

/** The secret of a new token, which is shown once. */
function Secret({ secret: { name, secret }, close }: { secret: NewSecret; close(): void }) {
  const { t } = useTexts();
  return (
    <div className="secret" role="group" aria-label={t("tokens.secret", { name })}>
      <p><strong>{t("tokens.secret", { name })}</strong></p>
      <div className="block">
        <pre tabIndex={0} dir="ltr"><code>{secret}</code></pre>
        <CopyButton text={secret} label="tokens.copy" />
      </div>
      <p className="hint" role="status">{t("tokens.secretHint")}</p>
      <Button small onClick={close}>{t("tokens.hide")}</Button>
    </div>
  );
}

function CreateToken({ close, create }: { close(): void; create(input: CreateApiTokenInput): Promise<void> }) {
  const { t } = useTexts();
  const form = useId();
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState(usual);
  const [days, setDays] = useState(90);
  const [failure, setFailure] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    const life = days === 0 ? { neverExpires: true } : { expiresAt: new Date(Date.now() + days * DAY_MS).toISOString() };
    try {
      await create({ name: name.trim(), scopes: chosen, ...life });
      close();
    } catch (error) {
      setFailure(messageOf(error));
      setBusy(false);
    }
  };
  const actions = (
    <>
      <Button onClick={close}>{t("action.cancel")}</Button>
      <Button type="submit" form={form} variant="primary" disabled={isBusy || !name.trim() || chosen.length === 0}>{t("tokens.create")}</Button>
    </>
  );
  return (
    <Dialog title={t("tokens.create")} close={close} actions={actions}>
      <form id={form} className="dialog-form" onSubmit={(event) => void submit(event)}>
        <label>
          <span>{t("tokens.name")}</span>
          <input value={name} maxLength={100} dir="auto" autoComplete="off" autoFocus required placeholder={t("tokens.nameExample")} onChange={(event) => setName(event.target.value)} />
        </label>
        <fieldset>
          <legend>{t("tokens.scopes")}</legend>
          {scopes.map((scope) => (
            <label key={scope} className="check">
              <input type="checkbox" checked={chosen.includes(scope)} onChange={(event) => setChosen(scopes.filter((s) => (s === scope ? event.target.checked : chosen.includes(s))))} />
              <span>{t(`tokens.scope.${scope}`)}</span>
            </label>
          ))}
        </fieldset>
        <label>
          <span>{t("tokens.expiry")}</span>
          <select value={days} onChange={(event) => setDays(Number(event.target.value))}>
            {lives.map((life) => <option key={life} value={life}>{life === 0 ? t("tokens.never") : t("tokens.days", { days: life })}</option>)}
          </select>
        </label>
        {failure !== null && <p role="alert" className="notice">{failure}</p>}
      </form>
    </Dialog>
  );
}
