/** Small drawings that stand beside words, or carry a label of their own button. */

const PATHS: Record<string, string> = {
  map: "M3 6l6-2 6 2 6-2v14l-6 2-6-2-6 2zM9 4v14M15 6v14",
  alarms: "M12 3a6 6 0 0 0-6 6v5l-2 3h16l-2-3V9a6 6 0 0 0-6-6zM10 20h4",
  decisions: "M5 12l4 4L19 6M4 20h16",
  services: "M4 5h7v6H4zM13 5h7v6h-7zM4 13h7v6H4zM13 13h7v6h-7z",
  handover: "M4 8h12l-3-3M20 16H8l3 3",
  agencies: "M4 6h16M4 12h16M4 18h10M19 18h1",
  intercity: "M5 19a2 2 0 1 0 0-.1M19 19a2 2 0 1 0 0-.1M12 5a2 2 0 1 0 0-.1M6 17l5-10M18 17L13 7M8 19h8",
  house: "M3 11l9-7 9 7M6 9v11h6M12 15h9M18 12l3 3-3 3",
  incidents: "M12 3l10 17H2zM12 10v4M12 17v.5",
  searches: "M10 4a6 6 0 1 0 0 12a6 6 0 1 0 0-12M14.5 14.5L21 21M10 7.5a1.5 1.5 0 1 0 0 3a1.5 1.5 0 1 0 0-3M7 13.5a3.2 3.2 0 0 1 6 0",
  warning: "M12 4l9 15H3zM12 10v4M12 16.5v.5",
  critical: "M8 3h8l5 5v8l-5 5H8l-5-5V8zM12 7v6M12 16v.5",
  close: "M6 6l12 12M18 6L6 18",
  play: "M7 4l13 8-13 8z",
  pause: "M7 4v16M17 4v16",
  back: "M15 5l-7 7 7 7M5 5v14",
  on: "M9 5l7 7-7 7M19 5v14",
  check: "M5 12l5 5L20 7",
  up: "M12 20V5M6 11l6-6 6 6",
};

export function Icon({ name }: { name: string }) {
  return (
    <svg class="glyph" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name] ?? ""} />
    </svg>
  );
}
