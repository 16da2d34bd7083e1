/** What a Microsoft cloud calls its Bot Framework. */
export interface Cloud {
  /** Who signs the tokens of calls to us. */
  readonly issuer: string;
  /** What our own token must be good for. */
  readonly scope: string;
}

const publicCloud: Cloud = {
  issuer: "https://api.botframework.com",
  scope: "https://api.botframework.com/.default",
};

/** By the host of the OpenID metadata. */
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

/** The cloud whose OpenID metadata this is; everything unknown is taken as the public one. */
export function cloudOf(openIdMetadataUrl: string): Cloud {
  return sovereignClouds.get(new URL(openIdMetadataUrl).hostname) ?? publicCloud;
}
