import CConvolution
import Foundation
import RRTensor
import Testing

@testable import RRNetworks

/// How evenly the threads of a machine with many cores share a step: counted in products, since no such machine is at hand.
@Suite("Work that many threads share")
struct SharedWorkTests {
    private static let networks: [BuiltInModel] = [
        .resnet18, .resnet34, .resnet50, .vgg11, .vgg16, .vgg16Normalized, .densenet121, .mobilenetV2,
        .mobilenetV3Small, .efficientnetB0, .convnextTiny,
    ]

    @Test(
        "of a batch of eight, sixteen or 32 photographs, 8 threads have an eighth each", arguments: networks)
    func eightThreads(model: BuiltInModel) throws {
        for sampleCount in [8, 16, 32] {
            #expect(try speed(model, sampleCount: sampleCount, threadCount: 8) > 8 * 0.95)
        }
    }

    /// The smallest network has layers of a few microseconds, which are not worth handing out.
    @Test(
        "a single photograph goes through all but the smallest network five times as fast",
        arguments: networks)
    func singlePhotograph(model: BuiltInModel) throws {
        let least = model == .mobilenetV3Small ? 2.0 : 5.0
        #expect(try speed(model, sampleCount: 1, threadCount: 8) > least)
    }

    @Test("32 and 64 threads are no worse than fewer, and do most of what they could", arguments: networks)
    func manyThreads(model: BuiltInModel) throws {
        for sampleCount in [1, 8, 16, 32] {
            let speeds = try [8, 32, 64].map {
                try speed(model, sampleCount: sampleCount, threadCount: $0)
            }
            if ProcessInfo.processInfo.environment["RRDATA_SHARES"] != nil {
                let text = speeds.map { String(format: "%.1f", $0) }.joined(separator: " | ")
                print("| `\(model.rawValue)` | \(sampleCount) | \(text) |")
            }
            #expect(speeds == speeds.sorted())
        }
    }

    /// How many times as fast as one thread so many are, if each does as many products a second.
    private func speed(_ model: BuiltInModel, sampleCount: Int, threadCount: Int) throws -> Double {
        let input = try ImageShape(channels: 3, height: 224, width: 224)
        let network = try Network<Float>(model.description(input: input, classCount: 10))
        let schedule = GroupSchedule(sampleCount: sampleCount, limits: network.groupLimits)
        let places = min(threadCount, schedule.lanes.count, network.groupLimits.largestPlaceCount)
        var (alone, together) = (0.0, 0.0)
        var lanes = schedule.lanes[...]
        while !lanes.isEmpty {
            // As many lanes as there are places are on their way at once, with the other threads' help.
            let round = lanes.prefix(places)
            lanes = lanes.dropFirst(places)
            let team = threadCount / round.count
            func time(_ lane: [Range<Int>], _ team: Int) -> Double {
                lane.reduce(0) { $0 + Self.time(of: network, sampleCount: $1.count, team: team) }
            }
            alone += round.reduce(0) { $0 + time($1, 1) }
            together += round.map { time($0, team) }.max() ?? 0
        }
        return alone / together
    }

    /// The products that one of a team of threads does for a group, the one that has most.
    private static func time(of network: Network<Float>, sampleCount: Int, team: Int) -> Double {
        network.graph.nodes.reduce(0) { sum, node in
            let elements = network.graph.values[node.inputs[0]].shape.elementCount * sampleCount
            guard case .layer(let layer) = node.operation else {
                // Sums and the like: what waits for memory takes the time of some products.
                let pieces = pieceCount(WorkShare.count(products: 0, elements: elements), elements, team)
                return sum + 5 * 8 * Double(elements) * share(of: elements, pieces, team)
            }
            let products = layer.productCount * sampleCount
            let pieces = pieceCount(
                layer.worthwhileShareCount(sampleCount: sampleCount), layer.largestShareCount, team)
            guard products > 0 else {
                return sum + 5 * 8 * Double(elements) * share(of: layer.largestShareCount, pieces, team)
            }
            let normalized = layer as? NormalizedConvolutionLayer<Float>
            guard let convolution = normalized?.convolution ?? layer as? ConvolutionLayer<Float> else {
                return sum + 6 * Double(products) * share(of: layer.largestShareCount, pieces, team)
            }
            if let product = convolution.product(sampleCount: sampleCount, .whole) {
                let blocks = [
                    product.blockCount(rows: product.outputs), product.blockCount(rows: product.channels),
                    product.gradientBlockCount,
                ]
                return sum
                    + blocks.reduce(0) {
                        $0 + 2 * Double(products) * share(of: $1, min(pieces, $1), team)
                    }
            }
            // Two passes forward, two back, and two products for the weights.
            let shares = [(false, false), (true, false), (false, true)].map { isTranspose, isGradient in
                var shape = convolution.shape(
                    samples: sampleCount, WorkShare(index: 0, count: pieces), isTranspose: isTranspose)
                return rr_convolution_largest_share(&shape, isGradient)
            }
            let rounds = Double((pieces + team - 1) / team)
            return sum + shares.reduce(0) { $0 + 2 * Double(products) * min($1 * rounds, 1) }
        }
    }

    /// As `WorkPlace.pieceCount(upTo:)` counts.
    private static func pieceCount(_ worth: Int, _ limit: Int, _ team: Int) -> Int {
        team > 1 ? min(worth, limit, 2 * team) : 1
    }

    /// What the thread with most has of as many units, cut into pieces.
    private static func share(of units: Int, _ pieces: Int, _ team: Int) -> Double {
        let largest = Double((units + pieces - 1) / pieces) / Double(units)
        return min(1, largest * Double((pieces + team - 1) / team))
    }
}
