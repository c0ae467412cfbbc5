import{a as e,i as t,n,r,t as i}from"./webgl-B0rO79Cg.js";var a=`#version 300 es
uniform mat4 u_matrix;
in vec2 a_at;
in float a_value;
out float v_value;
void main() {
  gl_Position = u_matrix * vec4(a_at, 0.0, 1.0);
  v_value = a_value;
}`,o=`#version 300 es
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
}`,s=2,c=class{id=`cells`;type=`custom`;renderingMode=`2d`;edge=[0,0,0];map=null;program=null;buffers=null;vertices=null;texture=null;places=[];outlines=[];origin=[0,0];at=new Float32Array;value=new Float32Array;owner=new Uint32Array;stale={at:!0,value:!0};get some(){return this.owner.length>0}setCells(e,t){this.places=e,this.outlines=t??[];let[n,r,i]=[[],[],[]];this.outlines.forEach((e,t)=>{let a=l(e);a.forEach((e,o)=>{i.push(e,a[(o+1)%a.length]),o<2||(r.push(a[0],a[o-1],e),n.push(t,t,t))})});let a=[...r,...i];this.origin=a[0]??[0,0],this.at=new Float32Array(a.length*2),a.forEach(([e,t],n)=>{this.at[2*n]=e-this.origin[0],this.at[2*n+1]=t-this.origin[1]}),this.owner=Uint32Array.from(n),this.value=new Float32Array(a.length).fill(-1).fill(s,n.length),this.stale={at:!0,value:!0},this.map?.triggerRepaint()}setValues(t,n){let r=e(t,n,this.places.length);for(let e=0;e<this.owner.length;e+=1)this.value[e]=r[this.owner[e]??0]??-1;this.stale.value=!0,this.map?.triggerRepaint()}placeAt(e,t){if(!this.map||!this.some)return null;let{lng:n,lat:r}=this.map.unproject([e,t]),i=this.outlines.findIndex(e=>e!==null&&u(e,n,r));return this.places[i]??null}onAdd(e,n){this.map=e,this.program=i(n,a,o),this.vertices=n.createVertexArray(),this.buffers={at:n.createBuffer(),value:n.createBuffer()},this.texture=t(n),this.stale={at:!0,value:!0}}onRemove(){this.map=null}render(e,t){let{program:n,buffers:i,vertices:a}=this;if(!n||!i||!a||!this.some)return;e.useProgram(n),e.bindVertexArray(a),this.upload(e,n,i);let o=t=>e.getUniformLocation(n,t);e.uniformMatrix4fv(o(`u_matrix`),!1,r(t.defaultProjectionData.mainMatrix,this.origin)),e.uniform3fv(o(`u_edge`),this.edge),e.activeTexture(e.TEXTURE0),e.bindTexture(e.TEXTURE_2D,this.texture),e.uniform1i(o(`u_ramp`),0),e.disable(e.DEPTH_TEST),e.disable(e.STENCIL_TEST),e.enable(e.BLEND),e.blendFunc(e.ONE,e.ONE_MINUS_SRC_ALPHA),e.drawArrays(e.TRIANGLES,0,this.owner.length),e.drawArrays(e.LINES,this.owner.length,this.value.length-this.owner.length),e.bindVertexArray(null)}upload(e,t,n){for(let r of[`at`,`value`]){if(!this.stale[r])continue;e.bindBuffer(e.ARRAY_BUFFER,n[r]),e.bufferData(e.ARRAY_BUFFER,this[r],e.DYNAMIC_DRAW);let i=e.getAttribLocation(t,`a_${r}`);e.enableVertexAttribArray(i),e.vertexAttribPointer(i,r===`at`?2:1,e.FLOAT,!1,0,0),this.stale[r]=!1}}};function l(e){let t=[];for(let r=0;e&&r+1<e.length;r+=2)t.push(n(e[r]??0,e[r+1]??0));return t}function u(e,t,n){let r=!1,i=e.length/2;for(let a=0,o=i-1;a<i;o=a,a+=1){let[i,s]=[e[2*a]??0,e[2*a+1]??0],[c,l]=[e[2*o]??0,e[2*o+1]??0];s>n!=l>n&&t<(c-i)*(n-s)/(l-s)+i&&(r=!r)}return r}export{c as CellLayer};