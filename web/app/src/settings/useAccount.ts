import { isSignedOut } from "@errand/client";
import { useCallback, useEffect, useMemo, useState } from "react";
import { authRequest } from "../session/http";
import { createPasskey, type Ceremony } from "../session/passkeys";
import type { AccountUser } from "../session/serverSession";
import { session } from "../session/session";
import { useValue } from "../store";
import { messageOf, toast } from "../ui/toasts";

export interface Passkey {
  id: string;
  name: string;
  createdAt: string;
  lastUsedAt: string | null;
}

export interface SignInSession {
  id: string;
  /** Whether it is the session of this browser. */
  current: boolean;
  userAgent: string;
  createdAt: string;
  lastUsedAt: string;
}

export interface Account extends AccountUser {
  hasPassword: boolean;
  passkeys: readonly Passkey[];
  sessions: readonly SignInSession[];
}

export interface ServerUser extends AccountUser {
  id: string;
  disabled: boolean;
  createdAt: string;
}

export interface Invitation {
  url: string;
  expiresAt: string;
}

/** How the user signs in, for built-in accounts: null with other ways to sign in. */
export function useAccountUser(): AccountUser | null {
  const state = useValue(session.state);
  return (state.kind === "signed-in" && state.credentials.account) || null;
}

/** The built-in account. `account` is null until it is loaded; `failure` is the reason if it cannot be loaded. */
export function useAccount() {
  const state = useValue(session.state);
  const token = state.kind === "signed-in" ? state.credentials.token : null;
  const [account, setAccount] = useState<Account | null>(null);
  const [users, setUsers] = useState<readonly ServerUser[]>([]);
  const [failure, setFailure] = useState<string | null>(null);

  /** Sends a request as the user. A rejected token is replaced once. */
  const send = useCallback(
    async <T>(method: "GET" | "POST" | "DELETE", path: string, body?: object): Promise<T> => {
      try {
        return await authRequest<T>(method, path, body, await token?.({ reason: "use" }));
      } catch (error) {
        if (!isSignedOut(error)) throw error;
        return authRequest<T>(method, path, body, await token?.({ reason: "rejected" }));
      }
    },
    [token],
  );

  const reload = useCallback(async (): Promise<void> => {
    try {
      const loaded = await send<Account>("GET", "account");
      setAccount(loaded);
      setFailure(null);
      if (loaded.role === "OWNER") setUsers((await send<{ users: ServerUser[] }>("GET", "users")).users);
    } catch (error) {
      setFailure(messageOf(error));
    }
  }, [send]);
  useEffect(() => void reload(), [reload]);

  const actions = useMemo(() => {
    /** Makes a change, shows its error, and loads the account again. */
    const change = async (act: () => Promise<unknown>) => {
      try {
        await act();
      } catch (error) {
        toast(messageOf(error));
      }
      await reload();
    };
    return {
      removePasskey: ({ id }: Passkey) => change(() => send("DELETE", `passkeys/${encodeURIComponent(id)}`)),
      endSession: ({ id }: SignInSession) => change(() => send("DELETE", `sessions/${encodeURIComponent(id)}`)),
      /** Rejects with an ErrandError. Other sessions end. */
      changePassword: async (current: string, password: string): Promise<void> => {
        await send("POST", "password", { current, new: password });
        void reload();
      },
      /** Resolves to false if the user has cancelled; rejects with an ErrandError. */
      addPasskey: async (name: string): Promise<boolean> => {
        const ceremony = await send<Ceremony>("POST", "passkeys/options");
        const credential = await createPasskey(ceremony);
        if (!credential) return false;
        await send("POST", "passkeys", { ceremony: ceremony.ceremony, credential, name });
        void reload();
        return true;
      },
      invite: () => send<Invitation>("POST", "invitations"),
    };
  }, [send, reload]);
  return { account, users, failure, ...actions };
}
