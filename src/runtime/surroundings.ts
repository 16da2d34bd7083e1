import { createHash, randomBytes } from "node:crypto";
import { secretFrom } from "../core/credential-format.ts";
import type { Instant } from "../core/ids.ts";
import type { Surroundings } from "../service/ports.ts";

const idAlphabet = "0123456789abcdefghijklmnopqrstuvwxyz";
const idTailLength = 16;

/** Chance and hashes from the operating system, time from the given clock. */
export function createSurroundings(now: () => Instant): Surroundings {
  return {
    now,
    idTail: () => {
      let tail = "";
      while (tail.length < idTailLength) {
        // 252 is the last multiple of 36 below 256: bytes above it would make some letters likelier.
        for (const byte of randomBytes(idTailLength)) {
          if (byte < 252 && tail.length < idTailLength) tail += idAlphabet[byte % 36];
        }
      }
      return tail;
    },
    tokenSecret: () => secretFrom((count) => randomBytes(count)),
    sha256: (text) => createHash("sha256").update(text).digest("hex"),
  };
}
