import{a as e,i as t,n,o as r,r as i,s as a,t as o}from"./webgl-B6E2ojsN.js";var s=`#version 300 es
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
}`,c=`#version 300 es
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
}`,l=class{id=`places`;type=`custom`;renderingMode=`2d`;colours={edge:[0,0,0],none:[.5,.5,.5],alarm:[1,0,0],chosen:[1,1,1]};scale=1;drawn=0;map=null;program=null;buffers=null;vertices=null;texture=null;places=[];origin=[0,0];at=new Float32Array;value=new Float32Array;mark=new Float32Array;stale={at:!0,value:!0,mark:!0};setPlaces(e){this.places=e;let t=e.map(e=>n(e.lon??0,e.lat??0)),r=t.filter((t,n)=>u(e[n])),i=r.reduce((e,[t,n])=>[e[0]+t,e[1]+n],[0,0]);this.origin=r.length?[i[0]/r.length,i[1]/r.length]:[0,0],this.at=new Float32Array(e.length*2),t.forEach(([t,n],r)=>{let i=!u(e[r]);this.at[2*r]=i?1e6:t-this.origin[0],this.at[2*r+1]=i?1e6:n-this.origin[1]}),this.value=new Float32Array(e.length).fill(-1),this.mark=new Float32Array(e.length),this.stale={at:!0,value:!0,mark:!0},this.map?.triggerRepaint()}setValues(e,t){this.value=r(e,t,this.places.length),this.stale.value=!0,this.map?.triggerRepaint()}setMarks(e,t){this.places.forEach((n,r)=>{this.mark[r]=n.id===t?2:+!!e.has(n.id)}),this.stale.mark=!0,this.map?.triggerRepaint()}placeAt(e,t,r=14){if(!this.map)return null;let i=(n,r)=>this.map.unproject([e+n,t+r]),[a,o]=[i(0,0),i(r,r)],[s,c]=n(a.lng,a.lat),[l,u]=n(o.lng,o.lat),d=Math.hypot(l-s,u-c)/Math.SQRT2,[f,p]=[s-this.origin[0],c-this.origin[1]],[m,h]=[-1,d*d];for(let e=0;e<this.places.length;e+=1){let[t,n]=[(this.at[2*e]??0)-f,(this.at[2*e+1]??0)-p],r=t*t+n*n;r<h&&([m,h]=[e,r])}return this.places[m]??null}onAdd(t,n){this.map=t,this.program=o(n,s,c),this.vertices=n.createVertexArray(),this.buffers={at:n.createBuffer(),value:n.createBuffer(),mark:n.createBuffer()},this.texture=e(n),this.stale={at:!0,value:!0,mark:!0}}onRemove(){this.map=null}render(e,n){let{program:r,buffers:o,vertices:s}=this;if(!r||!o||!s||!this.map||this.places.length===0)return;e.useProgram(r),e.bindVertexArray(s);let{at:c,value:l,mark:u}=this;a(e,r,o,{at:c,value:l,mark:u},this.stale);let d=t=>e.getUniformLocation(r,t),f=i(n.defaultProjectionData.mainMatrix,this.origin);t(e,r,f,this.texture),e.uniform1f(d(`u_size`),this.diameter()*devicePixelRatio);for(let[t,n]of Object.entries(this.colours))e.uniform3fv(d(`u_${t}`),n);e.drawArrays(e.POINTS,0,this.places.length),e.bindVertexArray(null),this.drawn+=1}diameter(){let e=Math.min(Math.max(22-4*Math.log10(this.places.length+1),3.5),18);return this.scale*e*Math.min(Math.max(1+((this.map?.getZoom()??11)-11)*.22,.6),3)}};function u(e){return e!==void 0&&e.lat!==null&&e.lon!==null}export{l as PlaceLayer};