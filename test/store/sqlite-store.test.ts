import { storeContract } from "./store-contract.ts";
import { openStore } from "./temporary-store.ts";

storeContract("SQLite", openStore);
