using Tunnel.Links.AfPacket;
using Tunnel.Links.Host;
using Tunnel.Links.Memory;
using Tunnel.Links.Native;
using static Tunnel.Links.Native.Linux;

namespace Tunnel.Links.Emulation;

/// <summary>
/// Carries every frame between two interfaces through a bad network, as a cable with the faults of one would. Merged frames are cut
/// first, so that faults concern packets. VLAN tags that the kernel took out of a frame are not put back.
/// </summary>
public sealed class InterfaceBridge : IDisposable
{
    private readonly Port _first;
    private readonly Port _second;

    /// <param name="first">An interface's name.</param>
    /// <param name="second">Another's.</param>
    /// <param name="there">What happens to frames from the first to the second.</param>
    /// <param name="back">What happens to the others.</param>
    /// <param name="seed">What faults are drawn from.</param>
    /// <exception cref="LinkException">An interface is not there, or may not be used.</exception>
    public InterfaceBridge(string first, string second, MemoryWireOptions there, MemoryWireOptions back, ulong seed)
    {
        _first = new Port(first);
        try
        {
            _second = new Port(second);
        }
        catch
        {
            _first.Dispose();
            throw;
        }

        _first.Carry(_second, there, seed);
        _second.Carry(_first, back, ~seed);
    }

    /// <summary>From the first to the second interface.</summary>
    public PathCounters There => _first.Counters;

    /// <summary>From the second to the first.</summary>
    public PathCounters Back => _second.Counters;

    public void Dispose()
    {
        // Nobody may send on a descriptor that is closed: all threads end first.
        _first.Stop();
        _second.Stop();
        _first.Dispose();
        _second.Dispose();
    }

    /// <summary>One interface: a thread takes what comes in and offers it to the path away from here.</summary>
    private sealed class Port : IDisposable
    {
        private const int Timeout = 1000;

        private readonly AfPacketReceiveBatch _batch = new();
        private readonly WakeEvent _wake = new();
        private readonly FrameCutter _cutter = new();
        private readonly int _descriptor;
        private ImpairedPath? _path;
        private Thread? _thread;
        private bool _finish;
        private long _kernelDrops;
        private long _refused;
        private volatile bool _stopped;

        internal Port(string name)
        {
            int index = InterfaceProbe.Index(name);
            try
            {
                if (index == 0)
                    throw new LinkException(LinkFault.Network, $"there is no interface {name}: `ip link` lists those that exist");
                var options = new AfPacketOptions { Interface = name, FirstPort = 0, ReceiveBufferBytes = 32 << 20 };
                _descriptor = AfPacketSocket.OpenBridge(options, index);
            }
            catch
            {
                _batch.Dispose();
                _wake.Dispose();
                throw;
            }
        }

        internal PathCounters Counters
        {
            get
            {
                (MemoryWireCounters counters, long bytes) = _path!.Counters;
                _kernelDrops += AfPacketSocket.TakeDrops(_descriptor);
                return new PathCounters(counters, bytes, _kernelDrops, Volatile.Read(ref _refused));
            }
        }

        internal void Carry(Port to, MemoryWireOptions options, ulong seed)
        {
            _finish = options.Corrupt > 0;
            _path = new ImpairedPath(options, seed, (frames, lengths, tags) => Send(to, frames, lengths, tags), "emulated path");
            _thread = new Thread(Run) { IsBackground = true, Name = "emulated port" };
            _thread.Start();
        }

        internal void Stop()
        {
            _stopped = true;
            _wake.Set();
            _thread?.Join();
            _path?.Dispose();
        }

        public void Dispose()
        {
            _ = Libc.Close(_descriptor);
            _batch.Dispose();
            _wake.Dispose();
        }

        private void Send(Port to, ReadOnlySpan<byte> frames, ReadOnlySpan<int> lengths, ReadOnlySpan<ulong> tags)
        {
            int taken = AfPacketSender.SendTagged(to._descriptor, frames, lengths, tags);
            Volatile.Write(ref _refused, _refused + lengths.Length - taken);
        }

        private void Run()
        {
            while (!_stopped)
            {
                int count = _batch.Read(_descriptor);
                for (int i = 0; i < count; i++)
                {
                    if (!_batch.IsTruncated(i))
                        _cutter.Cut(_batch.Frame(i), _batch.Header(i), _finish, _path!);
                }

                if (count <= 0)
                    _wake.Wait(_descriptor, Timeout);
            }
        }
    }
}

/// <summary>What one direction did.</summary>
/// <param name="Wire">What happened to packets.</param>
/// <param name="Bytes">Delivered.</param>
/// <param name="KernelDrops">Frames that came faster than they were taken.</param>
/// <param name="Refused">Packets that the kernel did not take at the other end.</param>
public readonly record struct PathCounters(MemoryWireCounters Wire, long Bytes, long KernelDrops, long Refused);
