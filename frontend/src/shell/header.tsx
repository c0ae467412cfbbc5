/** The bar at the top: which city, what time it is there, and who is looking. */
import { loggedOut, send } from "../api/client";
import { city, nowS } from "../state/city";
import { connection } from "../state/live";
import { chooseLanguage } from "../state/preferences";
import { say, t, word } from "../words";
import { clockWithSeconds, day } from "../words/format";
import { language } from "../words/language";
import { toggleHelp } from "./shortcuts";

/** Who sits at a node without accounts: there is nothing to log out of. */
const NOBODY = "local";

export function Header() {
  const shown = city.data.value;
  return (
    <header class="top">
      <a class="brand" href="#/map">
        <img src="./icon.svg" alt="" width="26" height="26" />
        <span>{shown ? say(shown.title) : "deepcity"}</span>
      </a>
      {shown?.mode === "replay" && (
        <span class="pill replay" title={t("header.replay_is")}>{shown.speed === null ? t("header.replay_fastest") : t("header.replay", { speed: shown.speed })}</span>
      )}
      <Clock />
      <span class={`pill connection ${connection.value}`} id="connection">{word("connection", connection.value)}</span>
      <span class="grow" />
      <LanguageSwitch />
      <button type="button" class="icon" id="help" aria-label={t("keys.title")} onClick={toggleHelp}>?</button>
      <User />
    </header>
  );
}

export function Clock() {
  if (nowS.value === 0) return null;
  return (
    <time class="clock" id="clock" dateTime={new Date(nowS.value * 1000).toISOString()}>
      <b>{clockWithSeconds(nowS.value)}</b> <span class="quiet">{day(nowS.value)}</span>
    </time>
  );
}

export function LanguageSwitch() {
  return (
    <div class="languages" role="group" aria-label={t("header.language")}>
      {([["en", "English"], ["ko", "한국어"]] as const).map(([code, name]) => (
        <button type="button" key={code} lang={code} data-language={code} aria-pressed={language.value === code} onClick={() => chooseLanguage(code)}>
          {name}
        </button>
      ))}
    </div>
  );
}

function User() {
  const user = city.data.value?.user;
  if (!user) return null;
  const leave = async () => {
    await send("DELETE", "/api/session").catch(() => undefined);
    loggedOut.value = true;
  };
  return (
    <span class="user">
      <span>{user.name} <small class="quiet">{word("role", user.role)}</small></span>
      {user.name !== NOBODY && (
        <button type="button" class="link" onClick={() => void leave()}>{t("header.leave")}</button>
      )}
    </span>
  );
}
