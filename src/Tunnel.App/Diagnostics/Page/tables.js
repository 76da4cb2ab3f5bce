// Tables that are sorted by a click or a key on a column's head, and change in place.

import { text } from "/units.js";

export class SortedTable {
  /**
   * @param columns {title, read: row => value to sort by, show: row => [number, unit] or text, isText, isMarked: row => boolean}
   */
  constructor(table, { caption, columns, key, sortBy, empty }) {
    this.columns = columns;
    this.key = key;
    this.empty = empty;
    this.rows = new Map();
    this.data = [];
    this.sort = { column: sortBy, descending: true };
    table.createCaption().textContent = caption;
    const head = table.createTHead().insertRow();
    this.heads = columns.map((column, i) => this.addHead(head, column, i));
    this.body = table.createTBody();
    this.showSort();
  }

  addHead(row, column, index) {
    const head = document.createElement("th");
    head.scope = "col";
    if (column.isText) head.className = "text";
    const button = head.appendChild(document.createElement("button"));
    button.type = "button";
    button.textContent = column.title;
    if (column.hint) button.title = column.hint;
    button.addEventListener("click", () => this.sortBy(index));
    row.appendChild(head);
    return head;
  }

  sortBy(index) {
    const again = this.sort.column === index;
    // Numbers are looked at for the largest, names for the first.
    this.sort = { column: index, descending: again ? !this.sort.descending : !this.columns[index].isText };
    this.showSort();
    this.update(this.data);
  }

  showSort() {
    this.heads.forEach((head, i) => {
      if (i === this.sort.column) head.setAttribute("aria-sort", this.sort.descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  }

  update(data) {
    this.data = data;
    const seen = new Set();
    const sorted = this.sorted(data).map(row => {
      const key = this.key(row);
      seen.add(key);
      return this.show(key, row);
    });
    for (const key of this.rows.keys()) {
      if (!seen.has(key)) this.rows.delete(key);
    }
    const wanted = sorted.length === 0 ? [this.emptyRow()] : sorted;
    const isSame = wanted.length === this.body.children.length && wanted.every((row, i) => row === this.body.children[i]);
    if (!isSame) this.body.replaceChildren(...wanted);
  }

  sorted(data) {
    const { read } = this.columns[this.sort.column];
    const sign = this.sort.descending ? -1 : 1;
    const compare = (a, b) => typeof a === "string" ? a.localeCompare(b, undefined, { numeric: true }) : a - b;
    // Rows that are equal keep still.
    return [...data].sort((a, b) => sign * compare(read(a), read(b)) || (this.key(a) < this.key(b) ? -1 : 1));
  }

  show(key, row) {
    let element = this.rows.get(key);
    if (element === undefined) {
      element = document.createElement("tr");
      for (const column of this.columns) element.insertCell().className = column.isText ? "text" : "";
      this.rows.set(key, element);
    }
    this.columns.forEach((column, i) => this.showCell(element.cells[i], column, row));
    return element;
  }

  showCell(cell, column, row) {
    const shown = column.show(row);
    const whole = Array.isArray(shown) ? text(shown) : shown;
    const isMarked = column.isMarked?.(row) ?? false;
    if (cell.dataset.shown !== whole) {
      cell.dataset.shown = whole;
      cell.replaceChildren(Array.isArray(shown) ? shown[0] : shown);
      if (Array.isArray(shown) && shown[1] !== "") cell.appendChild(document.createElement("small")).textContent = shown[1];
      if (column.isText) cell.title = whole;
    }
    cell.classList.toggle("mark", isMarked);
  }

  emptyRow() {
    if (this.nothing === undefined) {
      this.nothing = document.createElement("tr");
      const cell = this.nothing.insertCell();
      cell.className = "none";
      cell.colSpan = this.columns.length;
      cell.textContent = this.empty;
    }
    return this.nothing;
  }
}
