import { hash, randomBytes } from "node:crypto";
import { secretFrom } from "../../core/values/token-format.ts";
import type { Instant } from "../../core/values/ids.ts";
import type { Runtime } from "../../service/ports/runtime.ts";

const idAlphabet = "0123456789abcdefghijklmnopqrstuvwxyz";
/** The length of milliseconds since 1970 in base 36; it suffices until 2059. */
const timeLength = 8;
/** 51 bits for each millisecond. */
const randomLength = 10;

/**
 * Takes randomness and hashes from the operating system, and time from the given clock. Ids begin with the time, so that
 * rows created together are neighbours in every index and a commit rewrites a few pages instead of hundreds.
 */
export function createRuntime(now: () => Instant): Runtime {
  const nextByte = randomByteSource();
  return {
    now,
    idSuffix: () => {
      let tail = now().toString(36).padStart(timeLength, "0");
      while (tail.length < timeLength + randomLength) {
        const byte = nextByte();
        // 252 is the last multiple of 36 below 256. Higher bytes would make some characters more likely.
        if (byte < 252) tail += idAlphabet[byte % 36];
      }
      return tail;
    },
    tokenSecret: () => secretFrom((count) => randomBytes(count)),
    sha256: (text) => hash("sha256", text, "hex"),
  };
}

/** Returns random bytes one at a time. They are read in pages, because ids need many and a system call is slow. */
function randomByteSource(): () => number {
  let page = randomBytes(0);
  let used = 0;
  return () => {
    if (used === page.length) {
      page = randomBytes(pageBytes);
      used = 0;
    }
    return page.readUInt8(used++);
  };
}

const pageBytes = 4_096;
