/**
 * Places that are cells of a grid as areas, below the circles: triangles that are uploaded once, and
 * a new moment replaces one float a corner. Cells are convex, so that a fan covers each.
 */
import type { CustomLayerInterface, CustomRenderMethodInput, Map as LibreMap } from "maplibre-gl";
import type { Place, Values } from "../api/types";
import type { Range } from "./colour";
import { linked, mercator, moved, prepare, rampTexture, sharesOf, upload, type Rgb } from "./webgl";

/** Longitudes and latitudes of a cell's corners, one after the other; null: it is none. */
export type Outline = number[] | null;

const VERTEX = `#version 300 es
uniform mat4 u_matrix;
in vec2 a_at;
in float a_value;
out float v_value;
void main() {
  gl_Position = u_matrix * vec4(a_at, 0.0, 1.0);
  v_value = a_value;
}`;

// Lines have a value of 2; what is not measured is not filled.
const FRAGMENT = `#version 300 es
precision mediump float;
uniform sampler2D u_ramp;
uniform vec3 u_edge;
in float v_value;
out vec4 colour;
void main() {
  if (v_value < 0.0) discard;
  vec4 fill = vec4(texture(u_ramp, vec2(v_value, 0.5)).rgb, 0.8);
  if (v_value > 1.5) fill = vec4(u_edge, 0.35);
  colour = vec4(fill.rgb * fill.a, fill.a);
}`;

const LINE = 2;
type At = [number, number];

export class CellLayer implements CustomLayerInterface {
  readonly id = "cells";
  readonly type = "custom" as const;
  readonly renderingMode = "2d" as const;
  edge: Rgb = [0, 0, 0];

  private map: LibreMap | null = null;
  private program: WebGLProgram | null = null;
  private buffers: Record<"at" | "value", WebGLBuffer> | null = null;
  private vertices: WebGLVertexArrayObject | null = null;
  private texture: WebGLTexture | null = null;
  private places: Place[] = [];
  private outlines: Outline[] = [];
  private origin: At = [0, 0];
  private at = new Float32Array(0);
  private value = new Float32Array(0);
  /** The place that each corner of a triangle belongs to; after them come the lines. */
  private owner = new Uint32Array(0);
  private stale = { at: true, value: true };

  /** Whether anything is drawn. */
  get some(): boolean {
    return this.owner.length > 0;
  }

  setCells(places: Place[], outlines: Outline[] | null): void {
    this.places = places;
    this.outlines = outlines ?? [];
    const [owner, fill, lines]: [number[], At[], At[]] = [[], [], []];
    this.outlines.forEach((outline, place) => {
      const corners = cornersOf(outline);
      corners.forEach((corner, i) => {
        lines.push(corner, corners[(i + 1) % corners.length] as At);
        if (i < 2) return;
        fill.push(corners[0] as At, corners[i - 1] as At, corner);
        owner.push(place, place, place);
      });
    });
    const all = [...fill, ...lines];
    // Around one of them, so that single precision is exact to centimetres.
    this.origin = all[0] ?? [0, 0];
    this.at = new Float32Array(all.length * 2);
    all.forEach(([x, y], i) => {
      this.at[2 * i] = x - this.origin[0];
      this.at[2 * i + 1] = y - this.origin[1];
    });
    this.owner = Uint32Array.from(owner);
    this.value = new Float32Array(all.length).fill(-1).fill(LINE, owner.length);
    this.stale = { at: true, value: true };
    this.map?.triggerRepaint();
  }

  setValues(values: Values, range: Range | null): void {
    const share = sharesOf(values, range, this.places.length);
    for (let i = 0; i < this.owner.length; i += 1) this.value[i] = share[this.owner[i] ?? 0] ?? -1;
    this.stale.value = true;
    this.map?.triggerRepaint();
  }

  /** The place whose cell holds a point of the screen. */
  placeAt(x: number, y: number): Place | null {
    if (!this.map || !this.some) return null;
    const { lng, lat } = this.map.unproject([x, y]);
    const found = this.outlines.findIndex((one) => one !== null && holds(one, lng, lat));
    return this.places[found] ?? null;
  }

  onAdd(map: LibreMap, gl: WebGL2RenderingContext): void {
    this.map = map;
    this.program = linked(gl, VERTEX, FRAGMENT);
    this.vertices = gl.createVertexArray();
    this.buffers = { at: gl.createBuffer(), value: gl.createBuffer() };
    this.texture = rampTexture(gl);
    this.stale = { at: true, value: true };
  }

  onRemove(): void {
    this.map = null;
  }

  render(gl: WebGL2RenderingContext, how: CustomRenderMethodInput): void {
    const { program, buffers, vertices } = this;
    if (!program || !buffers || !vertices || !this.some) return;
    gl.useProgram(program);
    gl.bindVertexArray(vertices);
    upload(gl, program, buffers, { at: this.at, value: this.value }, this.stale);
    const matrix = moved(how.defaultProjectionData.mainMatrix, this.origin);
    prepare(gl, program, matrix, this.texture);
    gl.uniform3fv(gl.getUniformLocation(program, "u_edge"), this.edge);
    gl.drawArrays(gl.TRIANGLES, 0, this.owner.length);
    gl.drawArrays(gl.LINES, this.owner.length, this.value.length - this.owner.length);
    gl.bindVertexArray(null);
  }
}

function cornersOf(outline: Outline): At[] {
  const found: At[] = [];
  for (let i = 0; outline && i + 1 < outline.length; i += 2) {
    found.push(mercator(outline[i] ?? 0, outline[i + 1] ?? 0));
  }
  return found;
}

/** Whether a convex or other outline holds a point: a ray to the east crosses it an odd number of times. */
function holds(outline: number[], lng: number, lat: number): boolean {
  let inside = false;
  const count = outline.length / 2;
  for (let i = 0, j = count - 1; i < count; j = i, i += 1) {
    const [ax, ay] = [outline[2 * i] ?? 0, outline[2 * i + 1] ?? 0];
    const [bx, by] = [outline[2 * j] ?? 0, outline[2 * j + 1] ?? 0];
    if (ay > lat !== by > lat && lng < ((bx - ax) * (lat - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}
