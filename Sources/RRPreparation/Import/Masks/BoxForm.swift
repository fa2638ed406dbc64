internal import RRDatasets
internal import RRFormats

/// What the four numbers of a box are.
public enum BoxForm: String, Sendable, CaseIterable {
    /// The left, upper, right and lower edge.
    case edges = "xyxy"
    /// The left and upper edge, width and height.
    case corner = "xywh"
    /// The centre, width and height.
    case centre = "cxcywh"

    var words: String {
        switch self {
        case .edges: "left, upper, right and lower edge"
        case .corner: "left and upper edge, width and height"
        case .centre: "centre, width and height"
        }
    }

    /// The box of four numbers.
    func box(_ numbers: [Double]) -> BoxTable.Box {
        let (first, second, third, fourth) = (numbers[0], numbers[1], numbers[2], numbers[3])
        return switch self {
        case .edges: BoxTable.Box(left: first, top: second, right: third, bottom: fourth)
        case .corner:
            BoxTable.Box(left: first, top: second, right: first + third, bottom: second + fourth)
        case .centre:
            BoxTable.Box(
                left: first - third / 2, top: second - fourth / 2, right: first + third / 2,
                bottom: second + fourth / 2)
        }
    }
}

extension BoxForm {
    /// The box of four numbers, which ends where it begins or later.
    ///
    /// - Throws: what `fault` makes.
    func checkedBox(
        _ numbers: [Double], _ fault: (String) -> DatasetError
    ) throws(DatasetError) -> BoxTable.Box {
        let box = box(numbers)
        guard box.right >= box.left, box.bottom >= box.top else {
            throw fault(
                "the box ends before it begins: x \(box.left) to \(box.right), y \(box.top) to \(box.bottom)")
        }
        return box
    }
}

/// Boxes that stand in one column, a list of four numbers each: `[834.0, 222.0, 56.0, 36.0]`, `834 222 56 36`.
struct BoxList {
    /// The numbers of a box, and the height and width of its image where they are known.
    typealias Numbers = (numbers: [Double], size: (height: Double, width: Double)?)

    /// The column of a table that holds lists, and what its name says that they are.
    ///
    /// - Parameter names: the names of the columns in small letters, without separators.
    static func column(among names: [String]) -> (position: Int, form: BoxForm?)? {
        let forms: [(String, BoxForm)] = [
            ("cxcywh", .centre), ("xywh", .corner), ("ltwh", .corner), ("tlwh", .corner), ("xyxy", .edges),
            ("ltrb", .edges), ("xminyminxmaxymax", .edges), ("x1y1x2y2", .edges),
        ]
        for (position, name) in names.enumerated() {
            let form = forms.first { name.hasSuffix($0.0) }
            let rest = form.map { String(name.dropLast($0.0.count)) } ?? name
            guard Self.names.contains(rest) || (form != nil && rest.isEmpty) else { continue }
            return (position, form?.1)
        }
        return nil
    }

    private static let names: Set = [
        "bbox", "bboxes", "box", "boxes", "boundingbox", "boundingboxes", "bb", "rect", "rectangle",
    ]

    /// The boxes of a cell, none or several, of which each must have four numbers; nil where there is something else in it.
    static func boxes(in text: String) -> [[Double]]? {
        guard !CSVCell.lacksNumber(text) else { return [] }
        var boxes: [[Double]] = []
        var numbers: [Double] = []
        var word = ""
        // Whether each open bracket is that of a number's type: np.float64(834.0)
        var open: [Bool] = []
        var isSound = true
        func take(_ scalars: Set<String> = []) -> Bool {
            defer { word = "" }
            guard !word.isEmpty, !scalars.contains(word) else { return scalars.contains(word) }
            guard let number = Double(word), number.isFinite, number.magnitude <= 1e9 else {
                // array([1, 2]) and tensor([1, 2]) are what they hold.
                isSound = isSound && ["array", "tensor", "np.array", "list", "tuple"].contains(word)
                return false
            }
            numbers.append(number)
            return false
        }
        for character in text {
            switch character {
            case "[", "(": open.append(take(numberTypes))
            case "]", ")":
                _ = take()
                guard let isNumber = open.popLast() else { return nil }
                if !isNumber, !numbers.isEmpty {
                    boxes.append(numbers)
                    numbers = []
                }
            case " ", ",", ";", "\t", "\n", "\r": _ = take()
            default: word.append(character)
            }
        }
        _ = take()
        if !numbers.isEmpty { boxes.append(numbers) }
        return isSound && open.isEmpty && boxes.allSatisfy { $0.count == 4 } ? boxes : nil
    }

    private static let numberTypes: Set = [
        "np.float64", "np.float32", "np.float16", "np.int64", "np.int32", "np.int16", "np.uint8", "np.uint16",
        "float",
        "int",
    ]

    /// What the numbers of all boxes of a column can be.
    ///
    /// A box ends where it begins or later: that alone tells edges from widths in most tables. Of forms in which that holds
    /// those count in which all boxes lie within their images, if there are some. Of coordinates that are shares of the image
    /// the centre is a form, too.
    static func forms(of boxes: [Numbers]) -> [BoxForm] {
        let areShares = boxes.allSatisfy { $0.numbers.allSatisfy { 0...1.001 ~= $0 } }
        let candidates: [BoxForm] = areShares ? [.corner, .edges, .centre] : [.corner, .edges]
        let possible = candidates.filter { form in
            boxes.map { form.box($0.numbers) }.allSatisfy { $0.right >= $0.left && $0.bottom >= $0.top }
        }
        guard possible.count > 1 else { return possible }
        let inside = possible.filter { form in
            boxes.allSatisfy { numbers, size in
                guard let (height, width) = areShares ? (1, 1) : size else { return true }
                let (box, slack) = (form.box(numbers), areShares ? 0.002 : 1)
                return box.left >= -slack && box.top >= -slack && box.right <= width + slack
                    && box.bottom <= height + slack
            }
        }
        return inside.isEmpty ? possible : inside
    }
}

extension OptionName {
    static let boxes = OptionName("boxes")
}
