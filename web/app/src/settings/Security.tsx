import { useState, type FormEvent } from "react";
import { Field, FormError, isShort, PasswordField, useSubmission } from "../session/fields";
import { hasPasskeys } from "../session/passkeys";
import { session } from "../session/session";
import { useDates } from "../shell/server";
import { useTexts } from "../texts";
import { Button } from "../ui/Button";
import { Confirm, Dialog } from "../ui/Dialog";
import { messageOf, toast } from "../ui/toasts";
import { Members } from "./Members";
import { useAccount, type Passkey, type SignInSession } from "./useAccount";
import { deviceOf } from "./userAgent";
import "../session/sign-in.css";

/** How the user of a built-in account signs in: password, passkeys and sessions. For owners also the other users. */
export function Security() {
  const { t } = useTexts();
  const { account, users, failure, changePassword, addPasskey, removePasskey, endSession, invite } = useAccount();
  const [dialog, setDialog] = useState<"password" | "passkey" | "everywhere" | Passkey | null>(null);
  const close = () => setDialog(null);
  const signOutEverywhere = () => session.signOut(true).catch((error: unknown) => toast(messageOf(error)));
  return (
    <>
      <section aria-labelledby="settings-security">
        <h2 id="settings-security">{t("settings.security")}</h2>
        {failure !== null && <p role="alert" className="notice">{t("account.loadFailed", { reason: failure })}</p>}
        {account && (
          <>
            <p className="entry-name">
              {t("account.signedInAs")} <strong dir="auto">{account.login}</strong> <span className="status">{t(`account.role.${account.role}`)}</span>
            </p>
            <Button icon="edit" onClick={() => setDialog("password")}>{t(account.hasPassword ? "account.changePassword" : "account.setPassword")}</Button>
            <h3>{t("account.passkeys")}</h3>
            <p className="hint">{t(hasPasskeys() ? "account.passkeysHint" : "account.passkeysInsecure")}</p>
            {account.passkeys.length > 0 && (
              <ul className="entries">
                {account.passkeys.map((passkey) => <PasskeyRow key={passkey.id} passkey={passkey} remove={() => setDialog(passkey)} />)}
              </ul>
            )}
            {hasPasskeys() && <Button icon="key" onClick={() => setDialog("passkey")}>{t("account.addPasskey")}</Button>}
            <h3>{t("account.sessions")}</h3>
            <ul className="entries">
              {account.sessions.map((s) => <SessionRow key={s.id} session={s} end={() => void endSession(s)} />)}
            </ul>
            <Button icon="signOut" variant="danger" onClick={() => setDialog("everywhere")}>{t("account.everywhere")}</Button>
          </>
        )}
        {dialog === "password" && <ChangePassword hasPassword={account?.hasPassword ?? true} login={account?.login ?? ""} close={close} change={changePassword} />}
        {dialog === "passkey" && <AddPasskey close={close} add={addPasskey} />}
        {dialog === "everywhere" && (
          <Confirm title={t("account.everywhereTitle")} text={t("account.everywhereText")} action={t("account.everywhere")} close={close} confirm={() => void signOutEverywhere()} />
        )}
        {dialog !== null && typeof dialog === "object" && (
          <Confirm
            title={t("account.removePasskeyTitle")} text={t("account.removePasskeyText", { name: dialog.name })} action={t("account.remove")}
            close={close} confirm={() => void removePasskey(dialog)}
          />
        )}
      </section>
      {account?.role === "OWNER" && <Members users={users} invite={invite} />}
    </>
  );
}

function PasskeyRow({ passkey: { name, createdAt, lastUsedAt }, remove }: { passkey: Passkey; remove(): void }) {
  const { t } = useTexts();
  const dates = useDates();
  const used = lastUsedAt === null ? t("tokens.unused") : t("tokens.usedAt", { time: dates.dateTime(lastUsedAt) });
  return (
    <li>
      <div>
        <p className="entry-name"><strong dir="auto">{name}</strong></p>
        <p className="hint">{[t("account.addedAt", { time: dates.dateTime(createdAt) }), used].join(" · ")}</p>
      </div>
      <Button small variant="danger" aria-label={t("account.removePasskey", { name })} onClick={remove}>{t("account.remove")}</Button>
    </li>
  );
}

function SessionRow({ session: { userAgent, current, createdAt, lastUsedAt }, end }: { session: SignInSession; end(): void }) {
  const { t } = useTexts();
  const dates = useDates();
  const device = deviceOf(userAgent) || t("account.unknownDevice");
  return (
    <li data-status={current ? "ACTIVE" : undefined}>
      <div>
        <p className="entry-name"><strong>{device}</strong> {current && <span className="status">{t("account.thisBrowser")}</span>}</p>
        <p className="hint">{[t("account.since", { time: dates.dateTime(createdAt) }), t("tokens.usedAt", { time: dates.dateTime(lastUsedAt) })].join(" · ")}</p>
      </div>
      {!current && <Button small variant="danger" aria-label={t("account.endSession", { device })} onClick={end}>{t("account.end")}</Button>}
    </li>
  );
}

function ChangePassword({ hasPassword, login, close, change }: { hasPassword: boolean; login: string; close(): void; change(current: string, password: string): Promise<void> }) {
  const { t } = useTexts();
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const [isTooShort, setTooShort] = useState(false);
  const { submit, isReady, error, seconds, fault, isOf } = useSubmission();
  const title = t(hasPassword ? "account.changePassword" : "account.setPassword");
  const send = (event: FormEvent) => {
    event.preventDefault();
    const tooShort = isShort(password);
    setTooShort(tooShort);
    if (tooShort || !isReady) return;
    void submit(async () => {
      await change(current, password);
      toast(t("account.passwordChanged"));
      close();
    });
  };
  const actions = (
    <>
      <Button onClick={close}>{t("action.cancel")}</Button>
      <Button type="submit" form="password-form" variant="primary" disabled={!isReady}>{t("action.save")}</Button>
    </>
  );
  return (
    <Dialog title={title} close={close} actions={actions}>
      <form id="password-form" className="account-form" onSubmit={send}>
        {/* Password managers need the name of the account. */}
        <input hidden name="login" autoComplete="username" value={login} readOnly />
        {hasPassword && <PasswordField label={t("account.currentPassword")} value={current} change={setCurrent} autoComplete="current-password" required autoFocus fault={fault("current")} />}
        <PasswordField
          label={t("account.newPassword")} value={password} change={setPassword} autoComplete="new-password" required hint={t("account.passwordHint")}
          fault={isTooShort ? t("account.tooShort") : (fault("new") ?? fault("password"))}
        />
        <p className="hint">{t("account.othersEnd")}</p>
        {!isOf("current", "new", "password") && <FormError error={error} seconds={seconds} />}
      </form>
    </Dialog>
  );
}

function AddPasskey({ close, add }: { close(): void; add(name: string): Promise<boolean> }) {
  const { t } = useTexts();
  const [name, setName] = useState(() => deviceOf(navigator.userAgent));
  const { submit, isReady, error, seconds, fault, isOf } = useSubmission();
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (isReady) void submit(async () => void ((await add(name.trim())) && close()));
  };
  const actions = (
    <>
      <Button onClick={close}>{t("action.cancel")}</Button>
      <Button type="submit" form="passkey-form" variant="primary" disabled={!isReady || !name.trim()}>{t("account.addPasskey")}</Button>
    </>
  );
  return (
    <Dialog title={t("account.addPasskey")} close={close} actions={actions}>
      <form id="passkey-form" className="account-form" onSubmit={send}>
        <p>{t("account.addPasskeyText")}</p>
        <Field label={t("account.passkeyName")} value={name} change={setName} maxLength={100} autoComplete="off" dir="auto" required autoFocus fault={fault("name")} />
        {!isOf("name") && <FormError error={error} seconds={seconds} />}
      </form>
    </Dialog>
  );
}
