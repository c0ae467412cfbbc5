import{a as e,i as t,n,o as r,r as i,s as a,t as o}from"./webgl-B6E2ojsN.js";var s=`#version 300 es
uniform mat4 u_matrix;
in vec2 a_at;
in float a_value;
out float v_value;
void main() {
  gl_Position = u_matrix * vec4(a_at, 0.0, 1.0);
  v_value = a_value;
}`,c=`#version 300 es
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
}`,l=2,u=class{id=`cells`;type=`custom`;renderingMode=`2d`;edge=[0,0,0];map=null;program=null;buffers=null;vertices=null;texture=null;places=[];outlines=[];origin=[0,0];at=new Float32Array;value=new Float32Array;owner=new Uint32Array;stale={at:!0,value:!0};get some(){return this.owner.length>0}setCells(e,t){this.places=e,this.outlines=t??[];let[n,r,i]=[[],[],[]];this.outlines.forEach((e,t)=>{let a=d(e);a.forEach((e,o)=>{i.push(e,a[(o+1)%a.length]),o<2||(r.push(a[0],a[o-1],e),n.push(t,t,t))})});let a=[...r,...i];this.origin=a[0]??[0,0],this.at=new Float32Array(a.length*2),a.forEach(([e,t],n)=>{this.at[2*n]=e-this.origin[0],this.at[2*n+1]=t-this.origin[1]}),this.owner=Uint32Array.from(n),this.value=new Float32Array(a.length).fill(-1).fill(l,n.length),this.stale={at:!0,value:!0},this.map?.triggerRepaint()}setValues(e,t){let n=r(e,t,this.places.length);for(let e=0;e<this.owner.length;e+=1)this.value[e]=n[this.owner[e]??0]??-1;this.stale.value=!0,this.map?.triggerRepaint()}placeAt(e,t){if(!this.map||!this.some)return null;let{lng:n,lat:r}=this.map.unproject([e,t]),i=this.outlines.findIndex(e=>e!==null&&f(e,n,r));return this.places[i]??null}onAdd(t,n){this.map=t,this.program=o(n,s,c),this.vertices=n.createVertexArray(),this.buffers={at:n.createBuffer(),value:n.createBuffer()},this.texture=e(n),this.stale={at:!0,value:!0}}onRemove(){this.map=null}render(e,n){let{program:r,buffers:o,vertices:s}=this;if(!r||!o||!s||!this.some)return;e.useProgram(r),e.bindVertexArray(s),a(e,r,o,{at:this.at,value:this.value},this.stale);let c=i(n.defaultProjectionData.mainMatrix,this.origin);t(e,r,c,this.texture),e.uniform3fv(e.getUniformLocation(r,`u_edge`),this.edge),e.drawArrays(e.TRIANGLES,0,this.owner.length),e.drawArrays(e.LINES,this.owner.length,this.value.length-this.owner.length),e.bindVertexArray(null)}};function d(e){let t=[];for(let r=0;e&&r+1<e.length;r+=2)t.push(n(e[r]??0,e[r+1]??0));return t}function f(e,t,n){let r=!1,i=e.length/2;for(let a=0,o=i-1;a<i;o=a,a+=1){let[i,s]=[e[2*a]??0,e[2*a+1]??0],[c,l]=[e[2*o]??0,e[2*o+1]??0];s>n!=l>n&&t<(c-i)*(n-s)/(l-s)+i&&(r=!r)}return r}export{u as CellLayer};