import {
  CloudAdapter,
  ConfigurationBotFrameworkAuthentication,
  type Activity as SdkActivity,
} from "botbuilder";
import type { AccessTokens } from "./access-token.ts";
import type { Cloud } from "./cloud.ts";

/** The answer to one call by Teams. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** The Bot Framework SDK. No other file imports it, so that it can be replaced by its successor. */
export interface Bot {
  /**
   * Handles one activity, which has been authenticated. `logic` returns the body of an invoke's answer. The answer is
   * always a 200, because the platform takes any other status for an outage and tries again.
   */
  handle(body: object, logic: () => Promise<unknown>): Promise<Answer>;
}

export interface BotSettings {
  readonly appId: string;
  readonly tenantId: string;
  readonly loginUrl: string;
  readonly openIdMetadataUrl: string;
}

export function createBot(settings: BotSettings, cloud: Cloud, tokens: AccessTokens): Bot {
  const authentication = createSdkAuthentication(settings, cloud, tokens);
  const adapter = new TeamsAdapter(authentication, settings.appId, audienceOf(cloud));
  return { handle: (body, logic) => adapter.handle(body, logic) };
}

class TeamsAdapter extends CloudAdapter {
  readonly #appId: string;
  readonly #audience: string;

  constructor(authentication: ConfigurationBotFrameworkAuthentication, appId: string, audience: string) {
    super(authentication);
    this.#appId = appId;
    this.#audience = audience;
  }

  /**
   * CloudAdapter.process needs Express and tells callers what went wrong. It would also validate the token again, with
   * laxer rules and keys that may be an hour old. The caller is authenticated already.
   */
  async handle(body: object, logic: () => Promise<unknown>): Promise<Answer> {
    const activity = withDates(body);
    const claimsIdentity = this.createClaimsIdentity(this.#appId);
    const connectorFactory = this.botFrameworkAuthentication.createConnectorFactory(claimsIdentity);
    const proven = { audience: this.#audience, claimsIdentity, connectorFactory };
    const response = await this.processActivity(proven, activity, async (context) => {
      const answer = await logic();
      if (activity.type !== "invoke") return;
      await context.sendActivity({ type: "invokeResponse", value: { status: 200, body: answer } });
    });
    return { status: response?.status ?? 200, body: response?.body };
  }
}

/** Revives the dates of an activity, which JSON transports as strings. */
function withDates(body: object): SdkActivity {
  const activity: Record<string, unknown> = { ...body };
  for (const name of ["timestamp", "expiration", "localTimestamp"]) {
    const written = activity[name];
    if (typeof written === "string") activity[name] = new Date(written);
  }
  if (!isSdkActivity(activity)) throw new TypeError("not an activity");
  return activity;
}

/** Checks the fields that the SDK relies on; it treats all others as optional, whatever its types say. */
function isSdkActivity(value: object): value is SdkActivity {
  return "type" in value && "serviceUrl" in value && "conversation" in value;
}

/** Sets all endpoints together, because the SDK uses the public cloud for all of them when one is missing. */
function createSdkAuthentication(
  { appId, tenantId, loginUrl, openIdMetadataUrl }: BotSettings,
  cloud: Cloud,
  tokens: AccessTokens,
): ConfigurationBotFrameworkAuthentication {
  return new ConfigurationBotFrameworkAuthentication(
    {
      MicrosoftAppId: appId,
      MicrosoftAppTenantId: tenantId,
      ValidateAuthority: true,
      ToChannelFromBotLoginUrl: `${loginUrl}/${tenantId}`,
      ToChannelFromBotOAuthScope: audienceOf(cloud),
      ToBotFromChannelTokenIssuer: cloud.issuer,
      OAuthUrl: "https://token.botframework.com",
      ToBotFromChannelOpenIdMetadataUrl: openIdMetadataUrl,
      ToBotFromEmulatorOpenIdMetadataUrl: `${loginUrl}/${tenantId}/v2.0/.well-known/openid-configuration`,
      CallerId: "",
    },
    {
      isValidAppId: async (id) => id === appId,
      isAuthenticationDisabled: async () => false,
      createCredentials: async () => ({
        async signRequest(request) {
          request.headers.set("authorization", `Bearer ${await tokens.get()}`);
          return request;
        },
      }),
    },
  );
}

function audienceOf({ scope }: Cloud): string {
  return scope.replace(/\/\.default$/, "");
}
