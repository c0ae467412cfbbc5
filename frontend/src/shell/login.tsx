/** The form for name and password, shown when the node asks who is there. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError, get, loggedOut, send } from "../api/client";
import type { Text } from "../api/types";
import { connect, refreshAll } from "../state/live";
import { say, t } from "../words";
import { Failure } from "./failure";
import { LanguageSwitch } from "./header";

/** Another provider of people, where the node has one. */
interface Provider {
  title: Text;
  href: string;
}

export function Login() {
  const other = useSignal<Provider | null>(null);
  useEffect(() => {
    void get<{ oidc: Provider | null }>("/api/session").then(
      (ways) => (other.value = ways.oidc),
      () => undefined,
    );
  }, []);
  const busy = useSignal(false);
  const error = useSignal<ApiError | null>(null);
  const enter = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    busy.value = true;
    error.value = null;
    try {
      await send("POST", "/api/session", { name: form.get("name"), password: form.get("password") });
      loggedOut.value = false;
      connect();
      refreshAll();
    } catch (raised) {
      if (!(raised instanceof ApiError)) throw raised;
      error.value = raised;
    } finally {
      busy.value = false;
    }
  };
  return (
    <main class="login" id="main" tabIndex={-1}>
      <form class="card ask" onSubmit={(event) => void enter(event)}>
        <h1>{t("login.title")}</h1>
        <label>
          {t("login.name")}
          <input name="name" autoComplete="username" required autofocus />
        </label>
        <label>
          {t("login.password")}
          <input name="password" type="password" autoComplete="current-password" required />
        </label>
        <button type="submit" class="primary" disabled={busy.value}>{t("login.enter")}</button>
        {other.value && <a href={other.value.href}>{say(other.value.title)}</a>}
        <Failure error={error.value} />
        <LanguageSwitch />
      </form>
    </main>
  );
}
