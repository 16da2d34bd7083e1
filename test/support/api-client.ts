import { jsonOf, type Wire } from "./wire.ts";

/** A response as a client sees it. `http` is its status code; `body` is an empty object when it is no JSON. */
export interface Answer {
  readonly http: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Wire;
}

export interface Call {
  /** Bearer token. */
  readonly key?: string;
  readonly body?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

export const api = "/api/v1";
export const jit = `${api}/credentials/jit`;

/** A person with an API key. */
export interface Person {
  readonly id: string;
  readonly key: string;
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Submits a request, by default for the person. */
  ask(more: Readonly<Record<string, unknown>>): Promise<Answer>;
  /** `POST /credentials/jit/{id}/{verb}` */
  act(id: string, verb: string, body?: unknown): Promise<Answer>;
  read(id: string): Promise<Answer>;
}

/** The public API of the program. */
export interface ApiClient {
  call(method: string, path: string, call?: Call): Promise<Answer>;
  /** A person of the configuration, by id without prefix, with a key of these roles, which is reused. */
  person(name: string, ...roles: readonly string[]): Promise<Person>;
  /** A person with a known key. */
  as(id: string, key: string): Person;
  readonly admin: Person;
  /** The token check of a proxy. */
  check(token: string, ...scopes: readonly string[]): Promise<Answer>;
  /** The whole audit log, or its records of one request. */
  audit(request?: string): Promise<readonly AuditRecord[]>;
}

export interface AuditRecord {
  readonly seq: number;
  readonly at: string;
  readonly action: string;
  readonly actor: { readonly type: string; readonly id: string; readonly name: string; readonly via: string };
  readonly request?: string;
  readonly identity?: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly previousHash: string;
  readonly hash: string;
}

/** `onAnswer` is called with every response, to collect the secrets that were returned. */
export function createApiClient(
  address: string,
  adminKey: string,
  onAnswer: (text: string) => void = () => {},
): ApiClient {
  const call: ApiClient["call"] = async (method, path, { key, body, form, headers } = {}) => {
    const content =
      body !== undefined
        ? { body: JSON.stringify(body), headers: { "content-type": "application/json" } }
        : form !== undefined
          ? { body: new URLSearchParams(form) }
          : {};
    const answer = await fetch(`${address}${path}`, {
      method,
      ...content,
      headers: {
        ...content.headers,
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...headers,
      },
    });
    const text = await answer.text();
    onAnswer(text);
    return { http: answer.status, headers: answer.headers, text, body: jsonOf(answer.headers, text) };
  };
  const personWith = (id: string, key: string): Person => ({
    id,
    key,
    call: (method, path, body) => call(method, path, { key, ...(body !== undefined && { body }) }),
    ask: (more) =>
      call("POST", jit, { key, body: { identityId: id, reason: "an incident", duration: "1h", ...more } }),
    act: (request, verb, body) =>
      call("POST", `${jit}/${request}/${verb}`, { key, ...(body !== undefined && { body }) }),
    read: (request) => call("GET", `${jit}/${request}`, { key }),
  });
  const admin = personWith("id_admin", adminKey);
  const known = new Map<string, Promise<Person>>();
  const newPerson = async (id: string, roles: readonly string[]): Promise<Person> => {
    const made = await admin.call("POST", `${api}/api-keys`, { identityId: id, roles });
    if (made.http !== 201) throw new Error(`no key for ${id}: ${made.text}`);
    return personWith(id, made.body.token);
  };
  return {
    call,
    admin,
    as: personWith,
    async person(name, ...roles) {
      const wanted = roles.length === 0 ? ["requester", "approver"] : roles;
      const label = `${name} ${wanted.join(" ")}`;
      const person = known.get(label) ?? newPerson(`id_${name}`, wanted);
      known.set(label, person);
      return person;
    },
    check: (token, ...scopes) =>
      call("GET", `${api}/check`, { key: token, headers: { "x-jit-scope": scopes.join(" ") } }),
    audit: (request) => wholeAudit(admin, request),
  };
}

async function wholeAudit(admin: Person, request: string | undefined): Promise<readonly AuditRecord[]> {
  const records: AuditRecord[] = [];
  for (let after: number | null = 0; after !== null;) {
    const about: string = request === undefined ? "" : `&request=${request}`;
    const page = await admin.call("GET", `${api}/audit?limit=200&after=${after}${about}`);
    if (page.http !== 200) throw new Error(`no audit: ${page.text}`);
    const { data, nextCursor }: AuditPage = JSON.parse(page.text);
    records.push(...data);
    after = nextCursor;
  }
  return records;
}

interface AuditPage {
  readonly data: readonly AuditRecord[];
  readonly nextCursor: number | null;
}
