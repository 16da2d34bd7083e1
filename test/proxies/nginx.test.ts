import { guards } from "./forward-auth.ts";
import { nginx } from "./support/proxies.ts";

guards(nginx);
