import { ErrandError } from "@errand/client";
import { messageOf } from "../ui/toasts";

/** The options of WebAuthn, with their bytes as base64url. */
interface Options {
  challenge: string;
  user?: { id: string };
  allowCredentials?: readonly { id: string }[];
  excludeCredentials?: readonly { id: string }[];
}

/** The options for the authenticator, and the id by which the server knows the ceremony. */
export interface Ceremony {
  ceremony: string;
  publicKey: Options;
}

/** Whether this browser has passkeys for this page: in secure contexts only, and not for hosts without a name. */
export const hasPasskeys = (): boolean =>
  typeof PublicKeyCredential === "function" && isSecureContext && !/^\[|^[\d.]+$/.test(location.hostname);

/** Lets the user choose a passkey; null if the user closes the dialog. */
export async function choosePasskey({ publicKey }: Ceremony): Promise<object | null> {
  const credential = await answered(() =>
    navigator.credentials.get({ publicKey: decodeOptions(publicKey) as unknown as PublicKeyCredentialRequestOptions }),
  );
  return credential && encodeCredential(credential as PublicKeyCredential);
}

/** Lets the user create a passkey; null if the user closes the dialog. */
export async function createPasskey({ publicKey }: Ceremony): Promise<object | null> {
  const credential = await answered(() =>
    navigator.credentials.create({ publicKey: decodeOptions(publicKey) as unknown as PublicKeyCredentialCreationOptions }),
  );
  return credential && encodeCredential(credential as PublicKeyCredential);
}

async function answered(question: () => Promise<Credential | null>): Promise<Credential | null> {
  try {
    return await question();
  } catch (error) {
    if (error instanceof DOMException && (error.name === "NotAllowedError" || error.name === "AbortError")) return null;
    throw new ErrandError("BAD_USER_INPUT", messageOf(error), { cause: error });
  }
}

function decodeOptions(options: Options): object {
  const withBytes = <T extends { id: string }>(entry: T) => ({ ...entry, id: bytes(entry.id) });
  return {
    ...options,
    challenge: bytes(options.challenge),
    ...(options.user && { user: withBytes(options.user) }),
    ...(options.allowCredentials && { allowCredentials: options.allowCredentials.map(withBytes) }),
    ...(options.excludeCredentials && { excludeCredentials: options.excludeCredentials.map(withBytes) }),
  };
}

/** The form of WebAuthn Level 3, `RegistrationResponseJSON` and `AuthenticationResponseJSON`. */
function encodeCredential(credential: PublicKeyCredential): object {
  const response = credential.response as AuthenticatorAttestationResponse & AuthenticatorAssertionResponse;
  const of = (buffer: ArrayBuffer | null | undefined) => (buffer ? text(buffer) : undefined);
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: {
      clientDataJSON: text(response.clientDataJSON),
      attestationObject: of(response.attestationObject),
      transports: response.getTransports?.(),
      authenticatorData: of(response.authenticatorData),
      signature: of(response.signature),
      userHandle: of(response.userHandle),
    },
  };
}

function bytes(base64url: string): Uint8Array {
  return Uint8Array.from(atob(base64url.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
}

function text(buffer: ArrayBuffer): string {
  const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
