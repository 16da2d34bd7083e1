import { guards } from "./forward-auth.ts";
import { caddy } from "./support/proxies.ts";

guards(caddy);
