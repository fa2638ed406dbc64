/// Where the windows of an average pooling lie along one axis of the input, and what they divide by.
struct PoolingAxis: Hashable, Sendable {
    /// The input's extent along the axis.
    let input: Int
    let placement: Placement

    enum Placement: Hashable, Sendable {
        /// Windows of one extent at even distances over an input with zeros around it.
        case even(kernel: Int, stride: Int, padding: Int, countsPadding: Bool)
        /// As many windows as the output has elements; together they cover the input, as evenly as they can.
        case adaptive(output: Int)
    }

    /// The elements of the input under a window, and the extent that the window's sum is divided by.
    ///
    /// A window may reach beyond the padding, in ceil mode: what it finds there does not count, whereas the padding
    /// itself counts where it is asked to.
    @inline(__always)
    func window(_ output: Int) -> (elements: Range<Int>, divisor: Int) {
        switch placement {
        case .even(let kernel, let stride, let padding, let countsPadding):
            let start = output &* stride &- padding
            let end = min(start &+ kernel, input &+ padding)
            let elements = max(start, 0)..<min(end, input)
            return (elements, countsPadding ? end &- start : elements.count)
        case .adaptive(let outputExtent):
            let start = output &* input / outputExtent
            let end = ((output &+ 1) &* input &- 1) / outputExtent &+ 1
            return (start..<end, end &- start)
        }
    }
}
