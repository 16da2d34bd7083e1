import { leavesNothingBehind } from "../support/left-behind.ts";
import { staysWholeOnPostgres } from "./postgres-interruptions.ts";
import { installedPostgres } from "./support/postgres-server.ts";

leavesNothingBehind();
staysWholeOnPostgres(installedPostgres());
