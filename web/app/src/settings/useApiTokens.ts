import { useErrand } from "@errand/react";
import { useCallback, useEffect, useState } from "react";
import { messageOf, toast } from "../ui/toasts";
import { ApiTokensDocument, CreateApiTokenDocument, RevokeApiTokenDocument, type ApiTokensQuery, type CreateApiTokenInput } from "./operations";

export type ApiToken = ApiTokensQuery["apiTokens"]["nodes"][number];

/** A secret that the server has just created, and will not return again. */
export interface NewSecret {
  name: string;
  secret: string;
}

/** The API tokens of the account. `tokens` is null until they are loaded; `failure` says why they are not. */
export function useApiTokens() {
  const errand = useErrand();
  const [tokens, setTokens] = useState<readonly ApiToken[] | null>(null);
  const [failure, setFailure] = useState<string | null>(null);

  const reload = useCallback(async (): Promise<void> => {
    try {
      const all: ApiToken[] = [];
      for (let after: string | null = null; ; ) {
        const { apiTokens }: ApiTokensQuery = await errand.query(ApiTokensDocument, { after });
        all.push(...apiTokens.nodes);
        after = apiTokens.pageInfo.endCursor;
        if (!apiTokens.pageInfo.hasNextPage || after === null) break;
      }
      setTokens(all);
      setFailure(null);
    } catch (error) {
      setFailure(messageOf(error));
    }
  }, [errand]);
  useEffect(() => void reload(), [reload]);

  /** Rejects with an ErrandError. It is not repeated: a token whose secret is lost would stay. */
  const create = async (input: CreateApiTokenInput): Promise<NewSecret> => {
    const { createApiToken } = await errand.mutate(CreateApiTokenDocument, { input });
    if (!createApiToken) throw new Error("The server has returned no token.");
    void reload();
    return { name: createApiToken.apiToken.name, secret: createApiToken.secret };
  };

  const revoke = async ({ id }: ApiToken): Promise<void> => {
    try {
      await errand.mutate(RevokeApiTokenDocument, { id }, { retry: true });
    } catch (error) {
      toast(messageOf(error));
    }
    await reload();
  };

  return { tokens, failure, create, revoke };
}
