/**
 * Circles of up to hundreds of thousands of places as one draw call: positions are uploaded once,
 * and a new moment replaces one float a place. The colour comes from a ramp in a texture.
 */
import type { CustomLayerInterface, CustomRenderMethodInput, Map as LibreMap } from "maplibre-gl";
import type { Place, Values } from "../api/types";
import type { Range } from "./colour";
import { linked, mercator, moved, prepare, rampTexture, sharesOf, upload, type Rgb } from "./webgl";

const VERTEX = `#version 300 es
uniform mat4 u_matrix;
uniform float u_size;
in vec2 a_at;
in float a_value;
in float a_mark;
out float v_value;
out float v_mark;
out float v_size;
void main() {
  gl_Position = u_matrix * vec4(a_at, 0.0, 1.0);
  v_size = u_size * (a_mark > 0.5 ? 1.7 : 1.0);
  gl_PointSize = v_size;
  v_value = a_value;
  v_mark = a_mark;
}`;

// Marks: 0 none, 1 alarm (a ring), 2 chosen (a double ring). Value under 0: not measured, hollow.
const FRAGMENT = `#version 300 es
precision mediump float;
uniform sampler2D u_ramp;
uniform vec3 u_edge;
uniform vec3 u_none;
uniform vec3 u_alarm;
uniform vec3 u_chosen;
in float v_value;
in float v_mark;
in float v_size;
out vec4 colour;
void main() {
  float away = length(gl_PointCoord - 0.5) * v_size;
  float outer = v_size * 0.5;
  float inner = v_mark > 0.5 ? outer * 0.6 : outer;
  float cover = clamp(outer - away, 0.0, 1.0);
  if (cover <= 0.0) discard;
  vec4 fill = vec4(texture(u_ramp, vec2(v_value, 0.5)).rgb, 1.0);
  bool none = v_value < 0.0;
  if (none) fill = away < inner - max(1.5, inner * 0.4) ? vec4(0.0) : vec4(u_none, 1.0);
  float edge = smoothstep(inner - 1.6, inner - 0.8, away);
  if (v_size > 5.0 && !none) fill = mix(fill, vec4(u_edge, 0.9), edge);
  if (v_mark > 0.5) {
    vec3 ring = v_mark > 1.5 ? u_chosen : u_alarm;
    float on = smoothstep(inner + 0.8, inner + 1.6, away);
    fill = mix(fill, vec4(ring, 1.0), on);
  }
  colour = vec4(fill.rgb * fill.a, fill.a) * cover;
}`;

export class PlaceLayer implements CustomLayerInterface {
  readonly id = "places";
  readonly type = "custom" as const;
  readonly renderingMode = "2d" as const;
  colours: Record<"edge" | "none" | "alarm" | "chosen", Rgb> = {
    edge: [0, 0, 0], none: [0.5, 0.5, 0.5], alarm: [1, 0, 0], chosen: [1, 1, 1],
  };
  /** Of all circles: smaller where cells are drawn below them. */
  scale = 1;
  /** How often a frame was drawn; for measurements. */
  drawn = 0;

  private map: LibreMap | null = null;
  private program: WebGLProgram | null = null;
  private buffers: Record<"at" | "value" | "mark", WebGLBuffer> | null = null;
  private vertices: WebGLVertexArrayObject | null = null;
  private texture: WebGLTexture | null = null;
  private places: Place[] = [];
  private origin: [number, number] = [0, 0];
  private at = new Float32Array(0);
  private value = new Float32Array(0);
  private mark = new Float32Array(0);
  private stale = { at: true, value: true, mark: true };

  setPlaces(places: Place[]): void {
    this.places = places;
    const points = places.map((one) => mercator(one.lon ?? 0, one.lat ?? 0));
    const shown = points.filter((_, i) => isOnMap(places[i]));
    const sum = shown.reduce((a, [x, y]) => [a[0] + x, a[1] + y] as [number, number], [0, 0]);
    // Around their own middle, so that single precision is exact to centimetres.
    this.origin = shown.length ? [sum[0] / shown.length, sum[1] / shown.length] : [0, 0];
    this.at = new Float32Array(places.length * 2);
    points.forEach(([x, y], i) => {
      const hidden = !isOnMap(places[i]);
      this.at[2 * i] = hidden ? 1e6 : x - this.origin[0];
      this.at[2 * i + 1] = hidden ? 1e6 : y - this.origin[1];
    });
    this.value = new Float32Array(places.length).fill(-1);
    this.mark = new Float32Array(places.length);
    this.stale = { at: true, value: true, mark: true };
    this.map?.triggerRepaint();
  }

  setValues(values: Values, range: Range | null): void {
    this.value = sharesOf(values, range, this.places.length);
    this.stale.value = true;
    this.map?.triggerRepaint();
  }

  setMarks(alarmed: ReadonlySet<string>, chosen: string | null): void {
    this.places.forEach((one, i) => {
      this.mark[i] = one.id === chosen ? 2 : alarmed.has(one.id) ? 1 : 0;
    });
    this.stale.mark = true;
    this.map?.triggerRepaint();
  }

  /** The place nearest to a point of the screen, within some pixels. */
  placeAt(x: number, y: number, within = 14): Place | null {
    if (!this.map) return null;
    const corner = (dx: number, dy: number) => this.map!.unproject([x + dx, y + dy]);
    const [a, b] = [corner(0, 0), corner(within, within)];
    const [ax, ay] = mercator(a.lng, a.lat);
    const [bx, by] = mercator(b.lng, b.lat);
    const reach = Math.hypot(bx - ax, by - ay) / Math.SQRT2;
    const [px, py] = [ax - this.origin[0], ay - this.origin[1]];
    let [best, nearest] = [-1, reach * reach];
    for (let i = 0; i < this.places.length; i += 1) {
      const [dx, dy] = [(this.at[2 * i] ?? 0) - px, (this.at[2 * i + 1] ?? 0) - py];
      const far = dx * dx + dy * dy;
      if (far < nearest) [best, nearest] = [i, far];
    }
    return this.places[best] ?? null;
  }

  onAdd(map: LibreMap, gl: WebGL2RenderingContext): void {
    this.map = map;
    this.program = linked(gl, VERTEX, FRAGMENT);
    this.vertices = gl.createVertexArray();
    this.buffers = { at: gl.createBuffer(), value: gl.createBuffer(), mark: gl.createBuffer() };
    this.texture = rampTexture(gl);
    this.stale = { at: true, value: true, mark: true };
  }

  onRemove(): void {
    this.map = null;
  }

  render(gl: WebGL2RenderingContext, how: CustomRenderMethodInput): void {
    const { program, buffers, vertices } = this;
    if (!program || !buffers || !vertices || !this.map || this.places.length === 0) return;
    gl.useProgram(program);
    gl.bindVertexArray(vertices);
    const { at, value, mark } = this;
    upload(gl, program, buffers, { at, value, mark }, this.stale);
    const place = (name: string) => gl.getUniformLocation(program, name);
    const matrix = moved(how.defaultProjectionData.mainMatrix, this.origin);
    prepare(gl, program, matrix, this.texture);
    gl.uniform1f(place("u_size"), this.diameter() * devicePixelRatio);
    for (const [name, colour] of Object.entries(this.colours)) {
      gl.uniform3fv(place(`u_${name}`), colour);
    }
    gl.drawArrays(gl.POINTS, 0, this.places.length);
    gl.bindVertexArray(null);
    this.drawn += 1;
  }

  /** Pixels across: smaller where there are many, larger near by. */
  private diameter(): number {
    const crowd = Math.min(Math.max(22 - 4 * Math.log10(this.places.length + 1), 3.5), 18);
    return this.scale * crowd * Math.min(Math.max(1 + ((this.map?.getZoom() ?? 11) - 11) * 0.22, 0.6), 3);
  }
}

function isOnMap(place: Place | undefined): boolean {
  return place !== undefined && place.lat !== null && place.lon !== null;
}
