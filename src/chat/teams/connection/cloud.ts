/** The Bot Framework of a Microsoft cloud. */
export interface Cloud {
  /** The issuer of the tokens in calls to us. */
  readonly issuer: string;
  /** The scope of our own token. */
  readonly scope: string;
}

const publicCloud: Cloud = {
  issuer: "https://api.botframework.com",
  scope: "https://api.botframework.com/.default",
};

/** Keyed by the host of the OpenID metadata. */
const sovereignClouds: ReadonlyMap<string, Cloud> = new Map([
  [
    "login.botframework.azure.us",
    { issuer: "https://api.botframework.us", scope: "https://api.botframework.us/.default" },
  ],
  [
    "login.botframework.azure.cn",
    { issuer: "https://api.botframework.azure.cn", scope: "https://api.botframework.azure.cn/.default" },
  ],
]);

/** The cloud with this OpenID metadata address; an unknown address counts as the public cloud. */
export function cloudOf(openIdMetadataUrl: string): Cloud {
  return sovereignClouds.get(new URL(openIdMetadataUrl).hostname) ?? publicCloud;
}
