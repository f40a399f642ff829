import { base } from "../base";
import { useTexts } from "../texts";
import { Button } from "../ui/Button";
import { ServerSession } from "./serverSession";
import type { Credentials, SignInMode } from "./session";

/** Signs in at an OpenID Connect provider. The server exchanges the code; the browser comes back with a cookie. */
export class OIDCMode implements SignInMode {
  readonly key = "oidc";

  constructor(private readonly issuer: string | null) {}

  resume(): Promise<Credentials | null> {
    return ServerSession.resume();
  }

  readonly Form = () => {
    const { t } = useTexts();
    return (
      <div className="sign-in-form">
        <Button variant="primary" icon="user" onClick={() => location.assign(new URL("auth/oidc", base))}>
          {t("signIn.provider", { provider: hostOf(this.issuer) ?? t("signIn.yourProvider") })}
        </Button>
      </div>
    );
  };
}

function hostOf(issuer: string | null): string | null {
  return issuer && URL.canParse(issuer) ? new URL(issuer).host : null;
}
