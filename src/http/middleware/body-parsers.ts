import type { FastifyRequest } from "fastify";
import { refuse } from "../../core/values/refusals.ts";
import type { App } from "./route-access.ts";
import { malformed, RefusalError } from "../formats/problems.ts";

/** Bodies are small and flat, so that parsing one stays cheap. */
export const bodyBytesMax = 64 * 1024;
export const jsonDepthMax = 16;

/** Makes this scope read JSON only. A missing body counts as an object without fields. */
export function readJsonBodies(app: App): void {
  const parseJson = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>("application/json", { parseAs: "string" }, (request, body, done) => {
    if (isEncoded(request)) return done(encodedBody());
    if (body.trim() === "") return done(null, {});
    if (depthOf(body) > jsonDepthMax) {
      return done(new RefusalError(malformed(`The JSON is nested more than ${jsonDepthMax} deep.`)));
    }
    return parseJson(request, body, (error, value: unknown) =>
      error === null ? done(null, value) : done(new RefusalError(malformed("The body is not valid JSON."))),
    );
  });
  readEmptyBodies(app);
}

/** Far more than one token needs. The limit is small because one of these routes requires no key. */
export const formBytesMax = 2 * 1024;
const formFieldsMax = 20;

/** Makes this scope read `application/x-www-form-urlencoded` only. */
export function readFormBodies(app: App): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>(formContentType, { parseAs: "string" }, (request, body, done) => {
    if (isEncoded(request)) return done(encodedBody());
    const given = new URLSearchParams(body);
    if (given.size > formFieldsMax) {
      return done(new RefusalError(malformed(`A form has at most ${formFieldsMax} fields.`)));
    }
    const fields: Record<string, string> = {};
    for (const [name, value] of given) {
      if (Object.hasOwn(fields, name)) {
        return done(new RefusalError(malformed("A form field is given more than once.")));
      }
      // A field named `__proto__` does nothing here, because a string cannot become a prototype.
      fields[name] = value;
    }
    return done(null, fields);
  });
  readEmptyBodies(app);
}

export const formContentType = "application/x-www-form-urlencoded";

/** Ignores the content type of an empty body: `curl -X POST -d ''` sends a form's, other clients send JSON's. */
function readEmptyBodies(app: App): void {
  app.addHook("onRequest", (request, _, done) => {
    const { headers } = request.raw;
    const length = headers["content-length"];
    if (headers["transfer-encoding"] === undefined && (length === undefined || length === "0")) {
      if (length === "0") delete headers["content-type"];
      request.body = {};
    }
    done();
  });
}

function isEncoded({ headers }: FastifyRequest): boolean {
  const encoding = headers["content-encoding"];
  return encoding !== undefined && encoding.toLowerCase() !== "identity";
}

function encodedBody(): RefusalError {
  return new RefusalError(refuse("unsupported_type", "Send the body as it is, without a Content-Encoding."));
}

/** The nesting depth of a JSON text. It is computed without recursion, because 64 KiB can hold 32,000 levels. */
function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  let isInText = false;
  for (let index = 0; index < json.length; index++) {
    const character = json[index];
    if (isInText) {
      if (character === "\\") index++;
      else if (character === '"') isInText = false;
    } else if (character === '"') {
      isInText = true;
    } else if (character === "{" || character === "[") {
      deepest = Math.max(deepest, ++depth);
    } else if (character === "}" || character === "]") {
      depth--;
    }
  }
  return deepest;
}
