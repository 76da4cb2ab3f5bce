using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Primitives;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Kcp;

/// <summary>The send window's ring, order list and timer wheel against plain lists that are searched.</summary>
public class SendWindowModelTests
{
    private const int SegmentSize = 20;
    private const int Bucket = 4;

    [Fact]
    public void AgreesWithTheModel() => TestSeed.Run(50, seed =>
    {
        var random = new Prng(seed);
        uint first = random.Chance(0.5) ? uint.MaxValue - (uint)random.Next(200) : 0;
        var run = new Run(new SendWindow(SegmentSize, first), first, random);
        for (int i = 0; i < 1000; i++)
            run.Step();
    });

    private sealed class Run(SendWindow window, uint first, Prng random)
    {
        private readonly Dictionary<uint, Item> _items = [];
        private Prng _random = random;
        private uint _first = first;
        private uint _next = first;
        private ulong _order;
        private long _appended;
        private long _now;

        public void Step()
        {
            switch (_random.Next(9))
            {
                case <= 2:
                    Append();
                    break;
                case 3:
                    Pass();
                    break;
                case 4 or 5:
                    Acknowledge();
                    break;
                case 6:
                    Resend();
                    break;
                case 7:
                    Expire();
                    break;
                default:
                    Advance();
                    break;
            }

            Check();
        }

        private void Append()
        {
            for (int n = _random.Next(20); n >= 0 && _items.Count < 500; n--)
            {
                int length = 1 + _random.Next(SegmentSize);
                window.Reserve(SegmentSize)[..length].Fill((byte)_next);
                Assert.Equal(_next, window.Append(length));
                _items[_next] = new Item { Length = length };
                _appended += length;
                Send(_next++);
            }
        }

        private void Send(uint number)
        {
            long resendAt = _now + (_random.Chance(0.1) ? _random.Next(60_000) : _random.Next(500));
            window.MarkSent(number, ++_order, (uint)_now, resendAt, _now);
            (_items[number].Order, _items[number].ResendAt, _items[number].InFlight) = (_order, resendAt, true);
        }

        private void Pass()
        {
            ulong order = _order - (ulong)_random.Next((int)Math.Min(_order, 30) + 1);
            while (window.TryGetOldest(out uint number) && window[number].Order < order)
            {
                window.MarkLost(number, SendWindow.SlotState.LostFast);
                _items[number].InFlight = false;
            }

            Assert.DoesNotContain(_items.Values, i => i.InFlight && i.Order < order);
        }

        private void Acknowledge()
        {
            if (_next == _first)
                return;
            uint number = _first + (uint)_random.Next((int)(_next - _first));
            Assert.Equal(!_items[number].Acknowledged, window.Acknowledge(number));
            (_items[number].Acknowledged, _items[number].InFlight) = (true, false);
        }

        private void Resend()
        {
            foreach ((uint number, Item item) in _items)
            {
                if (!item.InFlight && !item.Acknowledged && _random.Chance(0.7))
                    Send(number);
            }
        }

        private void Expire()
        {
            _now += _random.Chance(0.05) ? _random.Next(10_000) : _random.Next(100);
            while (window.TryGetTimedOut(_now, out uint number))
            {
                Assert.True(_items[number].InFlight && _items[number].ResendAt <= _now);
                window.MarkLost(number, SendWindow.SlotState.LostTimeout);
                _items[number].InFlight = false;
            }

            Assert.DoesNotContain(_items.Values, i => i.InFlight && i.ResendAt < _now / Bucket * Bucket);
        }

        private void Advance()
        {
            int moved = 0;
            while (_items.TryGetValue(_first, out Item? item) && item.Acknowledged)
            {
                _items.Remove(_first++);
                moved++;
            }

            Assert.Equal(moved, window.Advance());
            if (_random.Chance(0.2))
                window.Trim();
            if (_random.Chance(0.2))
                window.Reclaim();
        }

        private void Check()
        {
            Assert.Equal((_first, _next, (int)(_next - _first)), (window.First, window.Next, window.Count));
            Assert.Equal(_items.Values.Where(i => !i.Acknowledged).Sum(i => i.Length), window.BytesInFlight);
            Item[] inFlight = [.. _items.Values.Where(i => i.InFlight)];
            Assert.Equal(inFlight.Sum(i => i.Length), window.BytesUnderWay);
            Assert.Equal(_appended - window.BytesInFlight, window.BytesDelivered);
            Assert.Equal(inFlight.Length != 0, window.TryGetOldest(out uint oldest));
            if (inFlight.Length == 0)
            {
                Assert.Equal(long.MaxValue, window.NextTimeout);
                return;
            }

            Assert.Equal(inFlight.Min(i => i.Order), _items[oldest].Order);
            // Not after the bucket in which the first one runs out, nor in the past once what was due has been taken.
            Assert.True(window.NextTimeout <= Math.Max(inFlight.Min(i => i.ResendAt), _now) / Bucket * Bucket + Bucket);
            uint any = _first + (uint)_random.Next((int)(_next - _first));
            Assert.Equal(_items[any].Length, window.Data(any).Length);
            Assert.Equal(-1, window.Data(any).IndexOfAnyExcept((byte)any));
        }
    }

    private sealed class Item
    {
        public int Length;
        public ulong Order;
        public long ResendAt;
        public bool InFlight;
        public bool Acknowledged;
    }
}
