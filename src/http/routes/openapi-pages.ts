import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import fastify, { type RouteOptions } from "fastify";
import {
  createJsonSchemaTransform,
  createJsonSchemaTransformObject,
  serializerCompiler,
} from "fastify-type-provider-zod";
import { z } from "zod";
import { programVersion } from "../../core/values/program-version.ts";
import { refusalStatus, type RefusalCode } from "../../core/values/refusals.ts";
import type { RouteAccess } from "../middleware/route-access.ts";
import { problemContentType } from "../formats/problems.ts";
import { validatorCompiler, noJsonSchemaCompilers } from "../formats/validation.ts";

const description = `Just-in-time access: ask, approve, claim, end.

Every 4xx and 5xx is a problem document (RFC 9457) with a stable \`code\`. Times are RFC 3339 in UTC. Durations are \`90s\`, \`30m\`, \`4h\`, \`1h30m\`, \`2d\` or ISO 8601 such as \`PT4H\`. Unknown fields are refused. Every response carries \`X-Request-Id\`.`;

const problemResponse = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number(),
    detail: z.string(),
    code: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    existing: z.string().optional().describe("`duplicate_request`: the request that is already open."),
  })
  .meta({ id: "Problem", description: "RFC 9457." });

/** A request for one page. */
export interface PageRequest {
  /** The path as sent: `/openapi.json`, or one under `/docs`. */
  readonly url: string;
  readonly ifNoneMatch?: string;
}

export interface Page {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface OpenApiPages {
  readonly page: (request: PageRequest) => Promise<Page>;
  readonly close: () => Promise<void>;
}

/**
 * Builds the OpenAPI document and its pages in a separate server that does not listen. Building takes as long as a start,
 * and most processes end before anybody reads the documentation.
 */
export async function createOpenApiPages(
  routes: readonly RouteOptions[],
  publicUrl: string | undefined,
): Promise<OpenApiPages> {
  const app = fastify({ exposeHeadRoutes: false, schemaController: noJsonSchemaCompilers });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  const zodToJsonConfig = {
    override: ({ jsonSchema }: { jsonSchema: { readOnly?: boolean } }) => delete jsonSchema.readOnly,
  };
  const toObject = createJsonSchemaTransformObject({ zodToJsonConfig });
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "jit-access", description, version: programVersion },
      servers: [{ url: publicUrl ?? "/" }],
      components: {
        securitySchemes: {
          apiKey: { type: "http", scheme: "bearer", description: "A `kd_live_…` key." },
          credential: { type: "http", scheme: "bearer", description: "A `kd_jit_…` token." },
        },
      },
    },
    transform: createJsonSchemaTransform({ zodToJsonConfig }),
    transformObject: (document) => withoutUnused(optionalBodies(toObject(document))),
  });
  await app.register(swaggerUi, {
    routePrefix: "/docs",
    uiConfig: { url: "/openapi.json", persistAuthorization: false },
    staticCSP: {
      "default-src": "'self'",
      "img-src": "'self' data:",
      "style-src": "'self' 'unsafe-inline'",
      "object-src": "'none'",
      "frame-ancestors": "'none'",
    },
  });
  app.get("/openapi.json", { schema: { hide: true } }, async () => app.swagger());
  for (const route of routes) app.route({ ...documented(route), handler: async () => null });
  await app.ready();
  return {
    page: async ({ url, ifNoneMatch }) => {
      const headers = ifNoneMatch === undefined ? {} : { "if-none-match": ifNoneMatch };
      const response = await app.inject({ method: "GET", url, headers });
      return {
        status: response.statusCode,
        headers: forwardedHeaders(response.headers),
        body: response.rawPayload,
      };
    },
    close: async () => app.close(),
  };
}

const headersOfPages = [
  "content-type",
  "content-security-policy",
  "cache-control",
  "etag",
  "last-modified",
  "location",
];

function forwardedHeaders(headers: Readonly<Record<string, unknown>>): Page["headers"] {
  return Object.fromEntries(
    headersOfPages.flatMap((name) => {
      const value = headers[name];
      return typeof value === "string" ? [[name, value]] : [];
    }),
  );
}

/** Adds to a route's schema what follows from its access rules: roles, authentication and refusals. */
function documented(route: RouteOptions): Pick<RouteOptions, "method" | "url" | "schema"> {
  const { method, url, schema = {}, config = {} } = route;
  const { roles, acceptsCredential } = config;
  const security = [
    ...(roles === undefined ? [] : [{ apiKey: [] }]),
    ...(acceptsCredential === true ? [{ credential: [] }] : []),
  ];
  const forRoles = roles === undefined ? [] : [`Roles: ${roles.join(" or ")}.`];
  const described = {
    ...schema,
    description: [...(schema.description === undefined ? [] : [schema.description]), ...forRoles].join(
      "\n\n",
    ),
    ...(security.length > 0 && { security }),
    ...(isOptional(schema.body) && { [optionalBodyMark]: true }),
    response: {
      ...(isRecord(schema.response) ? schema.response : {}),
      ...problemResponses(codesOf(route, config)),
    },
  };
  return { method, url, schema: described };
}

/** Marks a route whose body is optional, until the document is complete. */
const optionalBodyMark = "x-optional-body";

function isOptional(body: unknown): boolean {
  return body instanceof z.ZodType && body.safeParse({}).success;
}

/** Documents marked bodies as optional, because the generator documents every body as required. */
function optionalBodies<Document extends object>(document: Document): Document {
  const paths: unknown = "paths" in document ? document.paths : {};
  for (const path of Object.values(isRecord(paths) ? paths : {})) {
    for (const operation of Object.values(isRecord(path) ? path : {})) {
      if (!isRecord(operation) || operation[optionalBodyMark] !== true) continue;
      Reflect.deleteProperty(operation, optionalBodyMark);
      if (isRecord(operation["requestBody"])) Reflect.set(operation["requestBody"], "required", false);
    }
  }
  return document;
}

/** Removes unreferenced schemas, because each named one is generated for reading and for writing. */
function withoutUnused<Document extends object>(document: Document): Document {
  const text = JSON.stringify(document);
  const components: unknown = "components" in document ? document.components : {};
  const schemas = isRecord(components) && isRecord(components["schemas"]) ? components["schemas"] : {};
  for (const name of Object.keys(schemas)) {
    if (!text.includes(`"#/components/schemas/${name}"`)) Reflect.deleteProperty(schemas, name);
  }
  return document;
}

/** Verbs that grant access, which is refused while the clock or the audit log is in doubt. */
const grantingVerbs: ReadonlySet<string> = new Set(["ask", "approve", "claim", "rotate", "extend"]);

function codesOf({ url, schema, method }: RouteOptions, config: RouteAccess): readonly RefusalCode[] {
  const hasBody = schema?.body !== undefined;
  const isLimited = config.limited !== "nothing";
  return [
    ...(config.roles === undefined
      ? []
      : (["unauthenticated", "missing_role", "identity_inactive"] as const)),
    ...(hasBody ? (["malformed", "too_large", "unsupported_type"] as const) : []),
    ...(hasBody || schema?.querystring !== undefined ? (["invalid_body"] as const) : []),
    ...(url.includes(":id") ? (["not_found"] as const) : []),
    ...(isLimited && method !== undefined ? (["rate_limited", "store_unavailable"] as const) : []),
    ...(grantingVerbs.has(config.verb ?? "") ? (["clock_behind", "audit_head_differs"] as const) : []),
    ...(config.refusals ?? []),
  ];
}

/** One response for each status, with its problem codes. */
function problemResponses(codes: readonly RefusalCode[]): Readonly<Record<number, unknown>> {
  const byStatus = Map.groupBy(new Set(codes), (code) => refusalStatus[code]);
  return Object.fromEntries(
    [...byStatus].map(([status, same]) => [
      status,
      {
        description: same.map((code) => `\`${code}\``).join(", "),
        content: { [problemContentType]: { schema: problemResponse } },
      },
    ]),
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
