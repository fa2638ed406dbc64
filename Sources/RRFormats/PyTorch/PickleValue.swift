/// A value of a pickle.
///
/// What holds others is the number of a place in the `Pickle`: values can hold themselves, and no depth of nesting
/// takes a stack.
enum PickleValue {
    case none
    case truth(Bool)
    case integer(Int)
    case text(String)
    /// A tuple or a list.
    case sequence(Int)
    case dictionary(Int)
    case global(PickleGlobal)
    /// One of `Pickle.storages`.
    case storage(Int)
    /// One of `Pickle.tensors`.
    case tensor(Int)
    /// A number, bytes or a device, of which nothing is asked.
    case opaque
}

/// What a pickle of PyTorch may name: nothing that does more than hold values.
enum PickleGlobal {
    /// `collections.OrderedDict`
    case orderedDictionary
    /// `collections.Counter`, which learning rate schedules keep.
    case counter
    /// `torch.Size`, a tuple of integers.
    case size
    /// `torch._utils._rebuild_tensor_v2`
    case tensor
    /// `torch._utils._rebuild_parameter`, a tensor that is trained.
    case parameter
    /// `torch.device`
    case device
    /// `torch.float32` and its like, which are values by themselves.
    case elementType
    /// `torch.FloatStorage` and its like.
    case storage(SafeTensorType)

    /// - Returns: nil for all that is not admitted.
    init?(module: String, name: String) {
        switch (module, name) {
        case ("collections", "OrderedDict"): self = .orderedDictionary
        case ("collections", "Counter"): self = .counter
        case ("torch", "Size"): self = .size
        case ("torch._utils", "_rebuild_tensor_v2"): self = .tensor
        case ("torch._utils", "_rebuild_parameter"): self = .parameter
        case ("torch", "device"): self = .device
        case ("torch", _):
            if let type = Self.storages[name] {
                self = .storage(type)
            } else if Self.elementTypes.contains(name) {
                self = .elementType
            } else {
                return nil
            }
        default: return nil
        }
    }

    private static let storages: [String: SafeTensorType] = [
        "DoubleStorage": .float64, "FloatStorage": .float32, "HalfStorage": .float16,
        "BFloat16Storage": .bfloat16, "LongStorage": .int64, "IntStorage": .int32, "ShortStorage": .int16,
        "CharStorage": .int8, "ByteStorage": .uint8, "BoolStorage": .bool,
    ]

    private static let elementTypes: Set<String> = [
        "float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool",
    ]
}

/// The elements that tensors of a pickle lie in: a member of the file beside it.
struct PickleStorage {
    /// The name of the member.
    let key: String
    let type: SafeTensorType
    /// The number of elements.
    let count: Int
}

/// A view of a storage.
struct PickleTensor {
    /// One of `Pickle.storages`.
    let storage: Int
    /// The first element in the storage.
    let offset: Int
    let shape: [Int]
    /// The distance in the storage of neighbours along each dimension, in elements.
    let strides: [Int]
    /// The number of elements.
    let count: Int

    /// A view whose elements all lie in a storage; nil for any other.
    init?(storage: Int, count stored: Int, offset: Int, shape: [Int], strides: [Int]) {
        // PyTorch's own limit of dimensions.
        guard shape.count == strides.count, shape.count <= 64, offset >= 0 else { return nil }
        var (count, last) = (1, offset)
        for (extent, stride) in zip(shape, strides) {
            guard extent >= 0, stride >= 0 else { return nil }
            let product = count.multipliedReportingOverflow(by: extent)
            let reach = max(0, extent - 1).multipliedReportingOverflow(by: stride)
            let end = last.addingReportingOverflow(reach.partialValue)
            guard !product.overflow, !reach.overflow, !end.overflow else { return nil }
            (count, last) = (product.partialValue, end.partialValue)
        }
        guard count == 0 || last < stored else { return nil }
        self.storage = storage
        self.offset = offset
        self.shape = shape
        self.strides = strides
        self.count = count
    }
}
