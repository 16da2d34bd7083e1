import type { FastifyRequest } from "fastify";
import { refuse } from "../../core/values/refusals.ts";
import type { App } from "./route-access.ts";
import { malformed, RefusalError } from "../formats/problems.ts";

/** Contract and security: bodies are small and flat. */
export const bodyBytesMax = 64 * 1024;
export const jsonDepthMax = 16;

/** This scope reads JSON and nothing else; a body that is not there reads as one without fields. */
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
      error === null
        ? done(null, value)
        : done(new RefusalError(malformed("The body is not JSON that can be read."))),
    );
  });
  readEmptyBodies(app);
}

/** Far more than the one token that is looked for. Whoever needs no key must not make us work for long. */
export const formBytesMax = 2 * 1024;
const formFieldsMax = 20;

/** This scope reads `application/x-www-form-urlencoded` and nothing else. */
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
      // A text is no prototype: `__proto__` leaves no trace, like any field that nobody asks for.
      fields[name] = value;
    }
    return done(null, fields);
  });
  readEmptyBodies(app);
}

export const formContentType = "application/x-www-form-urlencoded";

/** Nothing has no type: `curl -X POST -d ''` names a form, many clients name JSON, and both mean no fields. */
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

/** How deep objects and arrays are nested in a JSON text, read without recursion: 64 KiB can hold 32,000 levels. */
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
