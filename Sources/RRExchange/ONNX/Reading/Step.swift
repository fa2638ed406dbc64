internal import RRNetworks
internal import RRTensor

/// What a node of the file became: a layer with its weights, a join, or a part of a layer that nodes after it complete.
struct Step {
    var operation: Operation
    /// The values that it reads: 0 is the image, n what the nth step gives.
    let inputs: [Int]
    let shape: ImageShape
    /// Whether the value is features without a place.
    let isFlat: Bool
    /// The node, as errors name it.
    let place: String
    var weights: [Weight] = []
    /// Whether it normalises without factors, which the nodes after it may give.
    var isBareNormalization = false
    /// Whether it is what the file multiplies by and adds, as a factor and a term for each channel.
    var isOfConstants = false

    enum Operation {
        case layer(LayerDescription)
        case add, multiply, concat
        case partial(Partial)
    }

    /// What stands for nothing by itself: exporters write some layers as several nodes.
    enum Partial: Equatable {
        /// erf(x), of x/√2.
        case errorFunction
        /// min(max(x + 3, 0), 6).
        case clippedShift
        /// x², x³.
        case square, cube
        /// x + 0.044715 x³, and tanh(√(2/π) (x + 0.044715 x³)).
        case tanhArgument, tanhGate
        /// The mean over axes, x less that mean, its square, the mean of that, and √(that + eps).
        case mean([Axis]), centered([Axis]), centeredSquare([Axis]), variance([Axis])
        case deviation([Axis], Double)
        /// 1 / √(variance + eps), and x and its mean times that.
        case inverseDeviation([Axis], Double), standardized([Axis], Double), standardizedMean([Axis], Double)
        /// Whether x is above a number.
        case above(Double)
        case softmax
    }

    /// A parameter tensor of a layer.
    struct Weight {
        /// As PyTorch's layer calls it: `weight`, `bias`, `running_mean`.
        let role: String
        /// What the exporter called it.
        let name: String?
        let shape: [Int]
        let elements: Constant.Elements

        init(_ role: String, _ constant: Constant) {
            self.role = role
            name = constant.name
            shape = constant.dimensions
            elements = constant.elements
        }

        init(_ role: String, _ values: [Double], name: String? = nil, shape: [Int]? = nil) {
            self.role = role
            self.name = name
            self.shape = shape ?? [values.count]
            elements = .doubles(values)
        }
    }

    var partial: Partial? { if case .partial(let partial) = operation { partial } else { nil } }
    var layer: LayerDescription? { if case .layer(let layer) = operation { layer } else { nil } }
}
