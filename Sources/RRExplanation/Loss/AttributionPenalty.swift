internal import RRNetworks
internal import RRTensor

/// One worker's penalties of a group: each sample's Σ (A ∘ a)², and the derivatives that the passes after `reverse` begin with.
///
/// With s = 2 λ1 over the reduction's divisor the tangent pass goes along v = s · ∂/∂g ½ Σ (A ∘ a)², and a feature map's
/// adjoint is given s · ∂/∂h of the same.
final class AttributionPenalty<Scalar: NetworkScalar> {
    private let attribution: Attribution
    /// A of the group at the places of the map that the attribution is about: (elements, columns), of feature maps (pixels,
    /// columns).
    private let masks: UnsafeMutablePointer<Scalar>
    /// Of a feature map: the pixels of the image that each row and each column of places is given, with their shares.
    private let rowShares: [[(pixel: Int, share: Double)]]
    private let columnShares: [[(pixel: Int, share: Double)]]
    private let image: ImageShape
    /// Each sample's Σ (A ∘ a)².
    private(set) var penalties: [Double]

    /// - Parameters:
    ///   - coversImages: whether A is 1 everywhere.
    ///   - capacity: the largest number of columns of a group.
    init(_ attribution: Attribution, image: ImageShape, coversImages: Bool, capacity: Int) {
        self.attribution = attribution
        self.image = image
        let features = attribution.features
        rowShares =
            features.map { $0.rows.shares(elementCount: $0.shape.height, pixelCount: image.height) } ?? []
        columnShares =
            features.map { $0.columns.shares(elementCount: $0.shape.width, pixelCount: image.width) } ?? []
        let count = max((features?.shape.pixelCount ?? image.elementCount) * capacity, 1)
        masks = .allocate(capacity: count)
        masks.initialize(repeating: coversImages ? 1 : 0, count: count)
        penalties = Array(repeating: 0, count: capacity)
    }

    deinit { masks.deallocate() }

    /// Takes A of a group's samples from a batch.
    func load(_ batchMasks: SharedElements<UInt8>, samples: ArraySlice<Int>, columnCount: Int) {
        batchMasks.withUnsafeBufferPointer { batchMasks in
            if attribution.features == nil {
                Transposition.write(
                    masks: batchMasks, elementCount: image.elementCount, samples: samples,
                    columnCount: columnCount,
                    into: masks)
            } else {
                for (column, sample) in samples.enumerated() {
                    let start = sample * image.elementCount
                    resize(
                        UnsafeBufferPointer(rebasing: batchMasks[start..<start + image.elementCount]),
                        to: column,
                        of: columnCount)
                }
            }
        }
    }

    /// Writes A of a sample, its channels' mean, at the places of a feature map.
    private func resize(_ mask: UnsafeBufferPointer<UInt8>, to column: Int, of columnCount: Int) {
        var target = column
        for rows in rowShares {
            for columns in columnShares {
                var sum = 0.0
                for (row, height) in rows {
                    for (place, width) in columns {
                        var marks = 0
                        for channel in 0..<image.channels {
                            marks += mask[channel * image.pixelCount + row * image.width + place] == 0 ? 0 : 1
                        }
                        sum += height * width * Double(marks)
                    }
                }
                masks[target] = Scalar(sum / Double(image.channels))
                target += columnCount
            }
        }
    }

    /// Computes the penalties of the group whose `reverse` has run, and fills what the passes after it begin with.
    ///
    /// - Parameter scale: s.
    func fill(_ map: ExplainedMap<Scalar>, columnCount: Int, scale: Scalar) {
        penalties.withUnsafeMutableBufferPointer { penalties in
            penalties.update(repeating: 0)
            let (masks, pixels) = (UnsafePointer(masks), map.shape.pixelCount)
            switch attribution {
            case .inputGradient:
                // a = g, with A 0 or 1: v = s · A ∘ g.
                map.fillTangent(
                    masks: masks, columnCount: columnCount, scale: scale, addingSquaresTo: penalties)
            case .inputTimesGradient:
                let factors = RepeatedRows(elements: map.values, count: map.shape.elementCount)
                MaskedAttribution.fill(map, masks, columnCount, scale, penalties, factors: factors)
            case .featureGradient:
                let factors = RepeatedRows(elements: masks, count: pixels)
                MaskedAttribution.fill(map, masks, columnCount, scale, penalties, factors: factors)
            case .gradCAM:
                MaskedAttribution.fillByActivations(map, masks, columnCount, scale, penalties)
            }
        }
    }
}

/// Rows of a matrix that stand for those of one with more rows, again and again: channels share a mask.
private struct RepeatedRows<Scalar> {
    let elements: UnsafePointer<Scalar>
    let count: Int
}

/// Σ (A ∘ a)² of each column of a group, and its derivatives. What is not finite outside the mask stays outside.
private enum MaskedAttribution {
    /// A ∘ a = f ∘ g where A is not 0: v = s · f² ∘ g.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func fill<Scalar: NetworkScalar>(
        _ map: ExplainedMap<Scalar>, _ masks: UnsafePointer<Scalar>, _ columns: Int, _ scale: Scalar,
        _ penalties: UnsafeMutableBufferPointer<Double>, factors: RepeatedRows<Scalar>
    ) {
        let (gradients, tangents) = (map.cotangent, map.tangent)
        for row in 0..<map.shape.elementCount {
            let start = row &* columns
            // Masks are as many as factors: one an element of the input, or one a pixel of a feature map.
            let shared = row % factors.count &* columns
            for column in 0..<columns {
                let (mask, element) = (masks[shared &+ column], factors.elements[shared &+ column])
                let product = element * gradients[start &+ column]
                let factor = mask == 0 ? 0 : element
                let masked = mask == 0 ? 0 : product
                tangents[start &+ column] = scale * factor * masked
                penalties[column] += Double(masked) * Double(masked)
            }
        }
    }

    /// a_p = Σ_k α_k h_kp with α_k = (1/P) Σ_q g_kq: with e_p = s · A_p² a_p the tangent is v_kq = (1/P) Σ_p e_p h_kp, and the
    /// adjoint is given α_k e_p.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func fillByActivations<Scalar: NetworkScalar>(
        _ map: ExplainedMap<Scalar>, _ masks: UnsafePointer<Scalar>, _ columns: Int, _ scale: Scalar,
        _ penalties: UnsafeMutableBufferPointer<Double>
    ) {
        let (channels, pixels) = (map.shape.channels, map.shape.pixelCount)
        let (values, gradients, tangents) = (map.values, map.cotangent, map.tangent)
        guard let adjoints = map.adjoint else { return }
        var weights = [Double](repeating: 0, count: channels)
        var activations = [Double](repeating: 0, count: pixels)
        for column in 0..<columns {
            for pixel in 0..<pixels { activations[pixel] = 0 }
            for channel in 0..<channels {
                let start = channel * pixels * columns + column
                var sum = 0.0
                for pixel in 0..<pixels { sum += Double(gradients[start + pixel * columns]) }
                weights[channel] = sum / Double(pixels)
                for pixel in 0..<pixels {
                    activations[pixel] += weights[channel] * Double(values[start + pixel * columns])
                }
            }
            var penalty = 0.0
            for pixel in 0..<pixels {
                let mask = Double(masks[pixel * columns + column])
                let masked = mask == 0 ? 0 : mask * activations[pixel]
                penalty += masked * masked
                activations[pixel] = Double(scale) * mask * masked
            }
            penalties[column] = penalty
            for channel in 0..<channels {
                let start = channel * pixels * columns + column
                var sum = 0.0
                for pixel in 0..<pixels {
                    sum += activations[pixel] * Double(values[start + pixel * columns])
                    adjoints[start + pixel * columns] = Scalar(weights[channel] * activations[pixel])
                }
                let tangent = Scalar(sum / Double(pixels))
                for pixel in 0..<pixels { tangents[start + pixel * columns] = tangent }
            }
        }
    }
}
