import { defineConfig } from "drizzle-kit";

/** For `npm run migrations`: writes the difference between the tables in the code and the last migration. */
export default defineConfig({
  dialect: "sqlite",
  schema: "./src/store/sqlite/tables/*.ts",
  out: "./migrations/sqlite",
});
