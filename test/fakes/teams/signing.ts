import { createSign, generateKeyPairSync, type KeyObject } from "node:crypto";

/** A signing key of the fake Bot Framework. */
export interface FakeKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
}

export function fakeKey(kid: string, endorsements: readonly string[] | null = ["msteams"]): FakeKey {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwk = {
    ...publicKey.export({ format: "jwk" }),
    kid,
    use: "sig",
    ...(endorsements !== null && { endorsements }),
  };
  return { kid, privateKey, jwk };
}

/** A JSON Web Token with any header and claims. */
export function signedToken(key: FakeKey, header: object, claims: object): string {
  const content = `${part(header)}.${part(claims)}`;
  const signature = createSign("RSA-SHA256").update(content).sign(key.privateKey).toString("base64url");
  return `${content}.${signature}`;
}

export function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
