// The order in which torch.topk(k = n) leaves equal scores on the CPU: that of the C++ standard
// library's nth_element and sort (introselect and introsort), which are not stable. One-stage networks
// take a top-k before NMS, and NMS takes equal scores first come, first served. The depth limits of
// the two are left out: they act on orders made to be bad only.

const SMALL = 16; // runs up to this length are left to the insertion sort at the end

// Exchange place r with the one of x, y, z that holds the middle score.
function middleTo(a, key, r, x, y, z) {
  const before = (i, j) => key[a[i]] > key[a[j]];
  let middle;
  if (before(x, y)) middle = before(y, z) ? y : before(x, z) ? z : x;
  else middle = before(x, z) ? x : before(y, z) ? z : y;
  [a[r], a[middle]] = [a[middle], a[r]];
}

// Split places first..last by the middle of three; returns where the second part starts.
function split(a, key, first, last) {
  middleTo(a, key, first, first + 1, first + ((last - first) >> 1), last - 1);
  const pivot = key[a[first]];
  let [left, right] = [first + 1, last];
  for (;;) {
    while (key[a[left]] > pivot) left += 1;
    right -= 1;
    while (pivot > key[a[right]]) right -= 1;
    if (left >= right) return left;
    [a[left], a[right]] = [a[right], a[left]];
    left += 1;
  }
}

function insertionSort(a, key, first, last) {
  for (let i = first + 1; i < last; i += 1) {
    const item = a[i];
    let j = i;
    for (; j > first && key[item] > key[a[j - 1]]; j -= 1) a[j] = a[j - 1];
    a[j] = item;
  }
}

function sortRuns(a, key, first, end) {
  let last = end;
  while (last - first > SMALL) {
    const cut = split(a, key, first, last);
    sortRuns(a, key, cut, last);
    last = cut;
  }
}

// Put indices in the order of torch.topk over all of them, in place; key: scores by index.
export function topkOrder(a, key) {
  const n = a.length;
  let first = 0;
  while (n - first > 3) first = split(a, key, first, n); // nth_element for the last place
  insertionSort(a, key, first, n);
  sortRuns(a, key, 0, n - 1);
  insertionSort(a, key, 0, n - 1);
  return a;
}
