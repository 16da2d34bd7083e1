import {
  CloudAdapter,
  ConfigurationBotFrameworkAuthentication,
  type Activity as SdkActivity,
} from "botbuilder";
import type { AccessTokens } from "./access-token.ts";
import type { Cloud } from "./cloud.ts";

/** The answer to one call of Teams'. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** The Bot Framework SDK, bound. No other file knows it, so that it can be exchanged for its successor. */
export interface Bot {
  /**
   * One turn. `body` is an activity that has been authenticated; `logic` answers an invoke with what is to be in the
   * body of a 200: the platform takes any other status for a breakdown and tries again.
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
   * `CloudAdapter.process` wants Express and shows callers what went wrong. And it would look at the token again, with
   * laxer rules and a copy of the keys that misses new ones for an hour: who calls has been proven before.
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

/** JSON has no dates; the SDK's activities have. */
function withDates(body: object): SdkActivity {
  const activity: Record<string, unknown> = { ...body };
  for (const name of ["timestamp", "expiration", "localTimestamp"]) {
    const written = activity[name];
    if (typeof written === "string") activity[name] = new Date(written);
  }
  if (!isSdkActivity(activity)) throw new TypeError("this is no activity");
  return activity;
}

/** What the SDK itself relies on; everything else is optional there whatever its types say. */
function isSdkActivity(value: object): value is SdkActivity {
  return "type" in value && "serviceUrl" in value && "conversation" in value;
}

/** All the endpoints are set together: one that is left out makes the SDK fall back to the public cloud for all. */
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
