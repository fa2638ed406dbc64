import RRTensor
import Testing

@Suite("Shared elements")
struct SharedElementsTests {
    @Test("they are a collection of what they were made of", arguments: [0, 1, 5, 1000])
    func collection(count: Int) {
        let array = (0..<count).map { Float($0) / 3 }
        let shared = SharedElements(array)
        #expect(Array(shared) == array && shared.count == count)
        #expect(shared.indices.allSatisfy { shared[$0] == array[$0] })
        #expect(Array(shared[(count / 2)...]) == Array(array[(count / 2)...]))
        #expect(shared.reduce(0, +) == array.reduce(0, +))
        shared.withUnsafeBufferPointer { #expect($0.elementsEqual(array)) }
        shared.withUnsafeBytes { bytes in array.withUnsafeBytes { #expect(bytes.elementsEqual($0)) } }
        #expect(shared.withContiguousStorageIfAvailable { $0.count } == count)
    }

    @Test("they are equal by their elements, whatever memory they are in")
    func equality() {
        let shared: SharedElements<UInt8> = [1, 2, 3]
        #expect(shared == SharedElements(1...3) && shared == SharedElements(Array(shared)))
        #expect(shared != [1, 2] && shared != [1, 2, 4])
        #expect(SharedElements<Float>([.nan]) != SharedElements<Float>([.nan]))
    }

    @Test("memory is zero before it is written, shared without a copy and freed with its last owner")
    func memory() {
        weak var freed: ElementMemory<Int64>?
        do {
            var memory = ElementMemory<Int64>(zeroBitsOf: 3)
            freed = memory
            #expect(isKnownUniquelyReferenced(&memory))
            memory.elements[1] = 7
            let shared = SharedElements(memory, count: 2)
            #expect(Array(shared) == [0, 7] && !isKnownUniquelyReferenced(&memory))
            let address = shared.withUnsafeBufferPointer { UnsafeRawPointer($0.baseAddress) }
            #expect(address == UnsafeRawPointer(memory.elements.baseAddress))
        }
        #expect(freed == nil)
    }
}
