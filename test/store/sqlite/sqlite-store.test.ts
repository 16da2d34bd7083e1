import { storeContract } from "../contract/store-contract.ts";
import { openStore } from "./temporary-store.ts";

storeContract("SQLite", openStore);
storeContract("SQLite, through the other thread", async () => openStore({ alwaysApart: true }));
