import { ErrandError, errorCodes, type ErrorExtensions } from "@errand/client";
import { base } from "../base";

type Method = "GET" | "POST" | "DELETE";

/** The body of an error. */
interface Failure {
  error?: ErrorExtensions & { message?: string };
}

/**
 * Sends a request to a path of the server's sign-in, such as `sign-in`, and returns the body of the response; undefined
 * if it has none. Rejects with an ErrandError.
 */
export async function authRequest<T>(method: Method, path: string, body?: object, token?: string | null): Promise<T> {
  let response: Response;
  let answer: (T & Failure) | undefined;
  try {
    response = await fetch(new URL(`auth/${path}`, base), {
      method,
      cache: "no-store",
      // The server requires it of all requests that change something: other sites cannot send it.
      headers: { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : undefined) },
      ...(method === "GET" ? undefined : { body: JSON.stringify(body ?? {}) }),
    });
    const text = await response.text();
    answer = text ? parse<T & Failure>(text) : undefined;
  } catch (cause) {
    throw new ErrandError("NETWORK_ERROR", "The server cannot be reached.", { cause });
  }
  if (response.ok) return answer as T;
  const { message = `The server answered with status ${response.status}.`, ...extensions } = answer?.error ?? {};
  const code = errorCodes.find((known) => known === extensions.code) ?? "NETWORK_ERROR";
  throw new ErrandError(code, message, { errors: [{ message, extensions }] });
}

/** Parses JSON; undefined for other texts, such as the page of a proxy. */
function parse<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}
