"""What is said: normalisation, number words, the assistant's domain, open sentences, and which text is held out."""
import glob
import hashlib
import os
import random
import re

WORD = re.compile(r"[a-z]+(?:'[a-z]+)*'?")
DIGITS = 'zero one two three four five six seven eight nine'.split()
TEENS = 'ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split()
TENS = '_ _ twenty thirty forty fifty sixty seventy eighty ninety'.split()
ORDINALS = ('first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth '
            'fifteenth sixteenth seventeenth eighteenth nineteenth twentieth').split()
ORDINALS += ['twenty ' + o for o in ORDINALS[:9]] + ['thirtieth', 'thirty first']
MONTHS = 'January February March April May June July August September October November December'.split()
DAYS = 'Monday Tuesday Wednesday Thursday Friday Saturday Sunday'.split()

NAMES = '''Anna Robert Mary James John Patricia Michael Jennifer William Linda David Elizabeth Richard Barbara Joseph Susan
Thomas Jessica Charles Sarah Christopher Karen Daniel Lisa Matthew Nancy Anthony Betty Mark Sandra Donald Margaret Steven
Ashley Andrew Kimberly Paul Emily Joshua Donna Kenneth Michelle Kevin Carol Brian Amanda George Melissa Timothy Deborah
Ronald Stephanie Jason Rebecca Edward Laura Jeffrey Helen Ryan Sharon Jacob Cynthia Gary Kathleen Nicholas Amy Eric
Angela Jonathan Shirley Stephen Larry Ruth Justin Brenda Scott Pamela Brandon Nicole Benjamin Katherine Samuel Samantha
Gregory Christine Alexander Catherine Patrick Virginia Frank Debra Raymond Rachel Jack Janet Dennis Emma Jerry Carolyn
Tyler Maria Aaron Heather Henry Diane Adam Julie Nathan Joyce Peter Evelyn Zachary Joan Walter Victoria Kyle Kelly Harold
Christina Carl Lauren Jeremy Frances Keith Martha Roger Judith Gerald Cheryl Ethan Megan Arthur Andrea Terry Olivia
Lawrence Ann Sean Jean Christian Alice Austin Doris Joe Jacqueline Noah Hannah Albert Julia Jesse Grace Willie Amber
Billy Danielle Bruce Theresa Jordan Natalie Ralph Rose Bryan Denise Roy Marilyn Louis Judy Eugene Charlotte Wayne Sophia
Alan Isabella Randy Diana Vincent Marie Russell Abigail Lucas Mia Oliver Chloe Liam Zoe Mason Lily Logan Lucy Ella Ava
Max Leo Oscar Felix Hugo Simon Martin Philip Stuart Graham Neil Ian Colin Trevor Nigel Clara Eva Nora Vera Ida Ingrid
Sven Lars Karl Hans Otto Eric Ivan Boris Olga Tanya Nina Sonia Carlos Diego Pedro Juan Luis Rosa Carmen Elena Marco Luca
Paolo Giulia Sofia Francesca Pierre Claire Sophie Camille Antoine Ahmed Omar Ali Hassan Fatima Layla Yusuf Ravi Priya
Arjun Anita Kumar Mei Chen Wei Ling Kenji Yuki Akira Hana Minh Kim Sam Alex Chris Pat Jamie Robin Charlie Ben Tom Tim Jim
Bob Bill Dan Don Ken Ron Ray Ted Fred Ned Kate Jane Beth Sue Meg Jo Fiona Holly Ivy Iris Hazel Ruby Pearl Daisy Violet
Harry Toby Miles Ellen Irene Gloria Bernard Stanley Theo Amelia Freya Isla Maya Naomi Leah Esther Miriam Abraham Isaac
Elijah Gabriel Caleb Luke Joel Derek Howard Gordon Douglas Malcolm Duncan Angus Kirsty Eileen Bridget Nora Sinead'''.split()
CITIES = '''London Paris Berlin Rome Madrid Lisbon Vienna Prague Warsaw Budapest Athens Oslo Stockholm Helsinki Copenhagen
Dublin Edinburgh Manchester Liverpool Glasgow Bristol Leeds Oxford Cambridge Amsterdam Brussels Zurich Geneva Munich
Hamburg Cologne Milan Naples Venice Florence Barcelona Moscow Kiev Istanbul Cairo Nairobi Lagos Delhi Mumbai Bangkok
Singapore Tokyo Osaka Kyoto Seoul Beijing Shanghai Sydney Melbourne Brisbane Perth Auckland Wellington Toronto Montreal
Vancouver Ottawa Boston Chicago Seattle Portland Denver Dallas Houston Austin Atlanta Miami Orlando Detroit Cleveland
Phoenix Philadelphia Washington Nashville Memphis Havana Lima Santiago Bogota Brazil Canada France Germany Spain Italy
Ireland Scotland England Wales Norway Sweden Finland Denmark Poland Greece Turkey Egypt Kenya India China Japan Korea
Australia Mexico Argentina Chile Peru'''.split() + ['New York', 'San Francisco', 'Los Angeles', 'San Diego', 'Las Vegas',
          'New Zealand', 'South Africa', 'Cape Town', 'Hong Kong', 'New Orleans', 'the city', 'my town']
LANGUAGES = 'French German Spanish Italian Portuguese Dutch Swedish Danish Polish Russian Greek Turkish Arabic Hindi Chinese Japanese Korean Latin English'.split()
ROOMS = ['kitchen', 'bedroom', 'living room', 'bathroom', 'hall', 'office', 'garden', 'garage', 'basement', 'attic',
         'dining room', 'hallway', 'study', 'porch', 'nursery']
THINGS = '''milk bread butter eggs cheese apples bananas oranges lemons potatoes carrots onions tomatoes garlic rice pasta
flour sugar salt pepper coffee tea juice water beer wine chicken fish beef ham yogurt cereal honey jam soap shampoo
toothpaste batteries paper towels candles matches flowers chocolate cookies biscuits cake pears grapes strawberries
spinach lettuce beans peas corn mushrooms olive oil vinegar'''.split()
TASKS = ['call my mother', 'call the doctor', 'call the bank', 'water the plants', 'feed the cat', 'feed the dog',
         'walk the dog', 'pay the rent', 'pay the bills', 'take out the trash', 'take my medicine', 'buy some milk',
         'buy a present', 'pick up the children', 'pick up the laundry', 'send the letter', 'send the report',
         'book a table', 'book a flight', 'go to the dentist', 'go to the gym', 'clean the kitchen', 'check the oven',
         'wash the car', 'turn off the oven', 'lock the door', 'charge my phone', 'finish my homework', 'renew my passport',
         'write to my brother', 'visit my sister', 'fix the bicycle', 'cook dinner', 'make breakfast', 'leave for work',
         'leave for the airport', 'catch the train', 'meet my friend', 'start the meeting', 'read the book', 'drink water']
COLOURS = 'red blue green yellow white black orange purple pink brown grey gold silver'.split()
SUBJECTS = ['the moon', 'the sun', 'black holes', 'dinosaurs', 'the ocean', 'volcanoes', 'elephants', 'whales', 'music',
            'chess', 'football', 'tennis', 'history', 'the weather', 'computers', 'robots', 'space', 'science', 'cooking',
            'the stars', 'trains', 'birds', 'bees', 'gravity', 'electricity', 'the human brain', 'art', 'poetry', 'books']
MUSIC = ['jazz', 'rock', 'pop music', 'classical music', 'some music', 'the radio', 'a song', 'my favourite song', 'the news',
         'the next song', 'folk music', 'piano music', 'something quiet', 'something happy', 'the blues', 'my playlist',
         'an old song', 'a podcast', 'an audio book', 'dance music', 'relaxing music']
ANIMALS = 'cat dog horse cow pig sheep goat duck chicken rabbit mouse fox wolf bear lion tiger elephant monkey frog fish snake bird owl'.split()
UNITS = [('mile', 'miles'), ('kilometer', 'kilometers'), ('meter', 'meters'), ('foot', 'feet'), ('inch', 'inches'),
         ('pound', 'pounds'), ('kilogram', 'kilograms'), ('gram', 'grams'), ('ounce', 'ounces'), ('liter', 'liters'),
         ('gallon', 'gallons'), ('cup', 'cups'), ('hour', 'hours'), ('minute', 'minutes'), ('second', 'seconds'),
         ('day', 'days'), ('week', 'weeks'), ('month', 'months'), ('year', 'years'), ('dollar', 'dollars'), ('euro', 'euros'),
         ('centimeter', 'centimeters'), ('degree', 'degrees')]
WEATHER = ['sunny', 'rainy', 'cloudy', 'windy', 'cold', 'warm', 'hot', 'foggy', 'snowy', 'stormy', 'dry', 'wet', 'mild', 'cool']
OBJECTS = 'hello|good morning|good night|thank you|please|goodbye|water|bread|friend|house|dog|cat|tree|book|car|train|love|yes|no|where is the station|how much is it|I am hungry|see you tomorrow|the bill please|I do not understand'.split('|')

# Phrases every user says: always in training, never in an evaluation set.
CORE = '''what time is it|what's the time|what is the time|what day is it|what day is it today|what day is it tomorrow|what's the date|
what's the date today|what is the date today|what is today's date|tell me the time|tell me the date|what year is it|what month is it|
do you know what time it is|could you tell me the time|what's your name|what is your name|who are you|what's my name|what is my name|
do you remember my name|do you know my name|who am I|say my name|forget my name|tell me a joke|tell me another joke|another one|one more|
another joke please|make me laugh|do you know a joke|that was funny|that's not funny|what can you do|help|help me|I need help|
what can I say|what can I ask you|how do you work|do you work offline|are you listening|can you hear me|are you there|hello|hi|hello there|
hey|good morning|good afternoon|good evening|good night|goodbye|bye|bye bye|see you later|see you tomorrow|stop|wait|hold on|
wait a minute|wait a second|one moment please|never mind|cancel|cancel that|repeat that|say that again|could you repeat that|
what did you say|please repeat|again|louder|louder please|quieter|quieter please|slower|slower please|faster|faster please|speak up|
speak louder|speak more slowly|speak faster|be quiet|quiet please|shut up|that's enough|thank you|thank you very much|thanks|thanks a lot|
you're welcome|yes|yes please|no|no thanks|no thank you|okay|sure|of course|all right|maybe|right|exactly|that's right|
that's wrong|that's all|go on|continue|go ahead|next|previous|back|go back|start|start again|start over|pause|resume|skip|undo|redo|
how are you|how are you today|I'm fine|I am fine thank you|nice to meet you|what's up|what's new|tell me something|tell me a story|
tell me a fact|sing a song|flip a coin|roll a die|roll the dice|count to ten|count to five|count to three|count to twenty|
count down from ten|set a timer|set an alarm|cancel the timer|stop the timer|stop the alarm|pause the timer|resume the timer|
how long is left|how much time is left|how long is left on my timer|how much time is left on the timer|snooze|
what's the weather like|what's the weather like today|will it rain tomorrow|do I need an umbrella|is it cold outside|
turn on the light|turn off the light|turn on the lights|turn off the lights|turn it on|turn it off|turn it up|turn it down|volume up|
volume down|mute|unmute|play|play some music|stop the music|next song|read it again|what does that mean|I don't know|I don't understand|
why|why not|who|what|when|where|how|how many|how much|really|I see|excuse me|I'm sorry|sorry|please|oh|well|
where are you|where do you live|how old are you|are you human|are you a robot|do you like me|I love you|who made you|what are you|
the quick brown fox jumps over the lazy dog|one two three|testing one two three|one two three four five|testing|this is a test|
hello world|what's the capital of France|how's the weather|tell me about yourself|let's start|let's go|never mind that|I changed my mind'''
CORE = [p.strip() for p in CORE.replace('\n', '').split('|') if p.strip()]

REPLIES = '''I am a small assistant that works offline|I'm a small voice assistant and I run in your browser|I can tell you the time and the date|
I can do sums set timers and remember your name|I can tell jokes|You can ask me for the time|You can interrupt me whenever you like|
I don't know your name yet|You have not told me your name|I didn't understand that|I'm sorry I did not understand|Sorry I didn't catch that|
Could you say that again please|Okay I will stop|All right|I will forget it|I have cancelled the timer|There is no timer running|
You have no timers|Your timer is done|Time is up|Your time is up|Okay|Goodbye|Goodbye and have a nice day|You're welcome|
Hello how can I help you|Hello what can I do for you|Good morning|Good evening|I'm fine thank you|Nice to hear from you|
Everything stays on your device|Nothing you say leaves this computer|I heard you|I am listening|Go ahead|I can't do that|
I can't divide by zero|That is not something I know|I only know simple things|Ask me something else|Let me think|One moment please|
Here is another one|Here is a joke|Why did the chicken cross the road|To get to the other side|I would tell you a joke about time|
Why do bees hum because they don't know the words|What do you call a fish with no eyes|I told my computer I needed a break|
It froze|Parallel lines have so much in common it's a shame they'll never meet|I used to be a banker but I lost interest|
Why don't scientists trust atoms because they make up everything|What do you call a bear with no teeth a gummy bear|
Why was the math book sad because it had too many problems|What is orange and sounds like a parrot a carrot|
I have no internet connection and I don't need one|Speech recognition and speech both run here|Tell me your name and I will remember it|
Say stop to interrupt me|I will wait|Please wait|Let's try again|That was the last one|I repeat'''
REPLIES = [p.strip() for p in REPLIES.replace('\n', '').split('|') if p.strip()]


def number(n, british=False):
    """The words of a whole number."""
    if n < 0: return 'minus ' + number(-n, british)
    if n < 10: return DIGITS[n]
    if n < 20: return TEENS[n - 10]
    if n < 100: return TENS[n // 10] + ('' if n % 10 == 0 else ' ' + DIGITS[n % 10])
    for size, name in ((10**9, 'billion'), (10**6, 'million'), (1000, 'thousand'), (100, 'hundred')):
        if n >= size:
            rest = n % size
            join = ' and ' if british and rest < 100 else ' '
            return number(n // size, british) + ' ' + name + (join + number(rest, british) if rest else '')


def year(y):
    if 2000 <= y < 2010: return 'two thousand' + ('' if y == 2000 else ' ' + number(y - 2000))
    if y % 100 == 0: return number(y // 100) + ' hundred'
    return number(y // 100) + ' ' + ('oh ' + number(y % 100) if y % 100 < 10 else number(y % 100))


def some_number(r):
    k = r.random()
    if k < .35: return r.randint(0, 20)
    if k < .75: return r.randint(10, 100)
    if k < .9: return r.randint(100, 1000)
    return r.choice([r.randint(1000, 9999), r.randint(1, 90) * 1000, r.randint(1, 900) * 1000, r.randint(1, 99) * 100, r.randint(1, 90) * 10**6])


def clock(r):
    h, k = r.randint(1, 12), r.random()
    if k < .2: return number(h) + r.choice(["", " o'clock", " o'clock", ' sharp'])
    if k < .35: return r.choice(['half past ', 'quarter past ', 'a quarter past ', 'quarter to ', 'a quarter to ']) + number(h)
    if k < .45: return number(r.choice([5, 10, 20, 25])) + r.choice([' past ', ' to ', ' minutes past ', ' minutes to ']) + number(h)
    if k < .5: return r.choice(['noon', 'midnight'])
    m = r.randint(1, 59)
    return number(h) + ' ' + ('oh ' + number(m) if m < 10 else number(m)) + r.choice([''] * 3 + [' in the morning', ' in the afternoon', ' in the evening', ' at night', ' a m', ' p m'])


def duration(r):
    k, n = r.random(), r.choice([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 12, 15, 20, 25, 30, 40, 45, 50, 60, 90, r.randint(1, 99)])
    if k < .06: return r.choice(['half an hour', 'a quarter of an hour', 'an hour and a half', 'half a minute', 'a minute', 'an hour', 'one and a half minutes', 'two and a half hours'])
    unit = r.choice(['second', 'minute', 'minute', 'minute', 'hour'])
    first = number(n) + ' ' + unit + ('' if n == 1 else 's')
    if k < .2 and unit != 'second':
        m = r.choice([5, 10, 15, 20, 30, 40, 45, r.randint(2, 59)])
        return first + ' and ' + number(m) + ' ' + {'minute': 'second', 'hour': 'minute'}[unit] + 's'
    return first


def date(r):
    d, m = r.choice(ORDINALS), r.choice(MONTHS)
    s = r.choice([m + ' ' + d, m + ' the ' + d, 'the ' + d + ' of ' + m, 'the ' + d])
    if r.random() < .3: s = r.choice(DAYS) + r.choice([' ', ' the ' if not s.startswith('the') else ' ']) + s
    if r.random() < .25: s += ' ' + year(r.choice([r.randint(2020, 2035), r.randint(1900, 2040), r.randint(1500, 1999)]))
    return s


def sum_(r):
    a, b = number(some_number(r), r.random() < .4), number(some_number(r), r.random() < .4)
    k = r.random()
    if k < .62:
        op = r.choice([' plus ', ' plus ', ' minus ', ' times ', ' times ', ' divided by ', ' multiplied by ', ' and ', ' over '])
        return a + op + b
    if k < .7: return a + ' plus ' + b + ' ' + r.choice(['plus', 'minus', 'times']) + ' ' + number(r.randint(1, 20))
    if k < .8: return number(r.choice([5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 80, 90, r.randint(1, 99)])) + ' percent of ' + b
    if k < .87: return 'the square root of ' + number(r.choice([4, 9, 16, 25, 36, 49, 64, 81, 100, 121, 144, r.randint(2, 1000)]))
    if k < .92: return a + r.choice([' squared', ' cubed', ' to the power of ' + number(r.randint(2, 10))])
    if k < .96: return r.choice(['half of ', 'a third of ', 'a quarter of ', 'twice ', 'double ', 'three quarters of ']) + b
    return a + ' point ' + ' '.join(r.choice(DIGITS) for _ in range(r.randint(1, 3))) + r.choice([' plus ', ' times ', ' minus ']) + b


def digit_string(r, lo=1, hi=8):
    ds = [r.choice(DIGITS + (['oh'] if r.random() < .15 else [])) for _ in range(r.randint(lo, hi))]
    return ' '.join(ds)


def unit_question(r):
    (a, A), (b, B) = r.sample(UNITS, 2)
    return r.choice([f'how many {A} are in a {b}', f'how many {A} are there in {number(r.randint(2, 60))} {B}',
                     f'convert {number(some_number(r))} {A} to {B}', f'what is {number(r.randint(2, 100))} {A} in {B}'])


def domain(r):
    """One sentence of the assistant's world, as written for a synthesiser (capitals where they matter)."""
    name, city, c = r.choice(NAMES), r.choice(CITIES), r.choice
    day = c([c(DAYS), 'today', 'tomorrow', 'tomorrow', 'tonight', 'on ' + c(DAYS), 'next ' + c(DAYS), 'this weekend', 'next week', 'this evening', 'tomorrow morning', 'this afternoon'])
    when = c(['at ' + clock(r), 'in ' + duration(r), day, day + ' at ' + clock(r), 'at ' + clock(r) + ' ' + day])
    please = c(['', '', '', '', ' please'])
    lead = c(['', '', '', '', '', 'please ', 'can you ', 'could you ', 'could you please ', 'would you ', 'I want you to ', 'hey ', 'now ', 'okay '])
    kinds = [
        # time and date
        (5, lambda: c(['what time is it in ', 'what time is it now in ', "what's the time in ", 'tell me the time in ', 'what is the time in ']) + city),
        (3, lambda: c([f'what day is {c(["it ", ""])}{day}', f'what day of the week is {date(r)}', f'how many days until {date(r)}', f'is it {clock(r)} yet',
                       f'is today {c(DAYS)}', f'was yesterday {c(DAYS)}', f'what date is {c(["next", "this", "on"])} {c(DAYS)}', f'how long is it until {clock(r)}', 'how many days are in ' + c(MONTHS),
                       f'what day was {date(r)}', f'when is {c(["Christmas", "Easter", "new year", "my birthday", "the holiday", "sunset", "sunrise", "the next train", "lunch", "dinner"])}'])),
        (3, lambda: c(['it is ', "it's ", 'it is now ', 'the time is ', 'I think it is ']) + clock(r)),
        (3, lambda: c(['today is ', 'tomorrow is ', "it's ", 'the date is ', 'my birthday is ', 'my birthday is on ', 'the meeting is on ', 'yesterday was ']) + c([date(r), date(r), c(DAYS)])),
        (1.5, lambda: clock(r)), (1.5, lambda: date(r)),
        # sums
        (9, lambda: c(['what is ', 'what is ', "what's ", 'how much is ', 'calculate ', 'compute ', 'can you tell me ', 'tell me ', 'do you know ', '', 'and ', 'what about ']) + sum_(r)),
        (3, lambda: c([f'add {number(some_number(r))} {c(["and", "to"])} {number(some_number(r))}', f'subtract {number(some_number(r))} from {number(some_number(r))}',
                       f'multiply {number(some_number(r))} {c(["by", "and"])} {number(some_number(r))}', f'divide {number(some_number(r))} by {number(some_number(r))}',
                       f'is {number(some_number(r))} {c(["even", "odd", "a prime number", "more than", "less than"])} '.strip() + c(['', ' ' + number(some_number(r))])])),
        (5, lambda: (lambda a, b, op: f'{number(a)} {op[0]} {number(b)} {c(["is", "is", "equals", "makes"])} {number(op[1](a, b))}')(
            r.randint(0, 99), r.randint(1, 99), c([('plus', lambda a, b: a + b), ('minus', lambda a, b: a - b), ('times', lambda a, b: a * b), ('divided by', lambda a, b: a // b)]))),
        (2, lambda: c(['the answer is ', 'that makes ', "that's ", 'the result is ', 'it is ', 'about ', 'I think the answer is ']) + number(some_number(r), r.random() < .5)),
        (4, lambda: number(some_number(r), r.random() < .5)),
        # timers, alarms, reminders
        (6, lambda: lead + c(['set a timer for ', 'set the timer for ', 'start a timer for ', 'set timer for ', 'set a new timer for ', 'give me a timer for ', 'set another timer for ', 'add ', 'wake me in ', 'wake me up in ', 'make it ']) + duration(r) + please),
        (1.5, lambda: c(['I set a timer for ', "okay I've set a timer for ", 'your timer is set for ', 'timer set for ', 'there are ', 'your timer has ', 'I started a timer for ', 'done a timer for ']) + duration(r) + c(['', '', ' left'])),
        (1, lambda: c([f'cancel the {duration(r)} timer', f'cancel my {c(["first", "second", "last"])} timer', f'how long is left on the {duration(r)} timer', 'delete all timers', 'stop all the timers', 'is there a timer running', 'how many timers are running', f'add {duration(r)} to the timer'])),
        (4, lambda: lead + c(['set an alarm for ', 'set the alarm for ', 'wake me up at ', 'wake me at ', 'change my alarm to ', 'move the alarm to ', 'cancel the alarm at ', 'cancel my alarm for ']) + clock(r) + c(['', '', ' ' + day]) + please),
        (5, lambda: lead + c(['remind me to ', "don't let me forget to ", 'remind me tomorrow to ', 'I have to ', 'I need to ', 'add a reminder to ', 'did I ', 'I forgot to ', 'when should I ', 'remember to ']) + c(TASKS) + c(['', ' ' + when, ' ' + when])),
        # names
        (5, lambda: c(['my name is ', 'my name is ', "my name's ", 'I am ', "I'm ", 'call me ', 'please call me ', 'you can call me ', 'this is ', "hello I'm ", 'hello my name is ', 'hi my name is ', 'everyone calls me ', 'people call me ', 'no my name is ', 'my friends call me ', 'remember my name is ', 'well I am called ', 'the name is ']) + name),
        (3, lambda: c(['nice to meet you ', 'hello ', 'your name is ', 'goodbye ', 'good morning ', 'I will call you ', 'thank you ', 'your name is still ', "okay I'll call you ", 'welcome back ', 'good evening ', 'how are you ', 'pleased to meet you ', 'good night ', 'thanks ', 'hi ', 'hey ', 'sorry ', 'see you tomorrow ', 'I remember you are ']) + name),
        (3, lambda: c([f'my {c(REL)} is called {name}', f"my {c(REL)}'s name is {name}", f'call {name}', f'send a message to {name}', f'tell {name} that I {c(["am late", "am home", "will be late", "love her", "miss him", "am on my way"])}',
                       f'who is {name}', f'is {name} at home', f'{name} and {c(NAMES)}', f'{name} is my {c(REL)}', f'when is {name}\'s birthday', f'what is the name of my {c(REL)}', f'I live in {city}', f'I am {number(r.randint(5, 90))} years old', f'I was born in {c([city, year(r.randint(1930, 2020)), c(MONTHS)])}', f'I come from {city}', f'I work in {city}'])),
        # jokes, small talk, help
        (3, lambda: c(['tell me a joke about ', 'tell me something about ', 'tell me a story about ', 'do you know a joke about ', 'what do you know about ', 'what can you tell me about ', 'I like ', "I don't like ", 'do you like ', 'do you know anything about ', 'let us talk about ', "let's talk about ", 'give me a fact about ', 'sing a song about ', 'I want to learn about ', 'how does it work with ', 'why is everyone talking about ']) + c([c(SUBJECTS), c(SUBJECTS), c(ANIMALS) + 's', c(THINGS)])),
        (3, lambda: c([f'{c(["hello", "hi", "good morning", "good evening", "hey", "okay", "well", "so", "and", "but", "yes", "no", "please", "thanks", "right", "oh", "sorry", "wait", "stop"])} {c(CORE)}'])),
        (1.5, lambda: c(CORE) + ' ' + c(['please', 'thanks', 'thank you', 'now', 'again', 'today', 'for me', 'if you can', 'right now', name, 'my friend'])),
        (2, lambda: f'{c(CORE)} {c(["and", "and then", "or", "and also"])} {c(CORE)}'),
        (3, lambda: c(REPLIES) + c(['', '', ' ' + name])),
        (2, lambda: c([f'how do you {c(["cook", "make", "buy", "keep", "wash", "store"])} {c(THINGS)}', f'what is the capital of {city}', f'how far is it to {city}', f'how tall is {c(["the tower", "the mountain", "the tree", "a giraffe", name])}', f'what colour is {c(["the sky", "the sea", "grass", "snow", "an orange", "the moon", "a banana"])}', f'what sound does a {c(ANIMALS)} make', f'how many legs does a {c(ANIMALS)} have', f'my favourite colour is {c(COLOURS)}', f'do you like {c(COLOURS)}', f'how old is {c([name, "the earth", "the universe", "the queen", "the king"])}', f'what does a {c(ANIMALS)} eat', f'I have a {c(COLOURS)} {c(ANIMALS)}', f'where can I see a {c(ANIMALS)}', f'spell {c(THINGS)}', f'how do you spell {name}', f'is it true that {c(ANIMALS)}s can {c(["swim", "fly", "sing", "climb", "jump", "see at night"])}'])),
        (3, lambda: unit_question(r)),
        # weather
        (4, lambda: c([f'what is the weather like in {city}', f"what's the weather {c(['like', 'going to be', 'forecast'])} {day} in {city}", f'will it {c(["rain", "snow", "be sunny", "be cold", "be windy", "be warm"])} {day}', f'will it {c(["rain", "snow", "be hot", "freeze"])} in {city} {day}', f'is it {c(WEATHER)} in {city}', f'how {c(["warm", "cold", "hot", "windy"])} is it in {city}', f'how {c(["warm", "cold", "hot"])} will it be {day}', f'it will be {c(WEATHER)} and {c(WEATHER)} {day}', f'it is {number(r.randint(1, 40))} degrees {c(["in " + city, "outside", "and " + c(WEATHER), "below zero", day])}', f'what is the temperature in {city}', f'do I need {c(["an umbrella", "a coat", "a hat", "sunglasses", "boots"])} {day}', f"it's {c(WEATHER)} {day}"])),
        # lights and things at home
        (4, lambda: lead + c([f'turn {c(["on", "off"])} the {c(["light", "lights", "lamp", "heating", "fan", "radio", "television"])} in the {c(ROOMS)}', f'turn the {c(["light", "lights", "lamp", "heating", "radio", "music"])} {c(["on", "off", "up", "down"])}', f'dim the lights in the {c(ROOMS)}', f'set the {c(ROOMS)} light{c(["", "s"])} to {c([c(COLOURS), number(r.randint(1, 100)) + " percent"])}', f'make the {c(ROOMS)} {c(["warmer", "colder", "brighter", "darker"])}', f'is the {c(ROOMS)} {c(["light on", "door open", "window closed", "door locked"])}', f'{c(["open", "close", "lock"])} the {c(["door", "window", "curtains", "blinds", "garage", "gate"])}', f'set the {c(["temperature", "heating", "volume", "brightness"])} to {number(r.randint(1, 100))}{c(["", " percent", " degrees"])}']) + please),
        # music
        (3, lambda: lead + c([f'play {c(MUSIC)}', f'play {c(MUSIC)} in the {c(ROOMS)}', f'play {c(MUSIC)} by {name}', f'stop playing {c(MUSIC)}', f'I want to hear {c(MUSIC)}', f'set the volume to {number(r.randint(0, 10))}', f'turn {c(["up", "down"])} the volume', f'skip {c(["this song", "to the next one", "the intro"])}', f'who sings {c(["this", "that song", "this song"])}']) + please),
        # lists
        (4, lambda: lead + c([f'add {c(THINGS)} to {c(["my", "the"])} {c(["shopping", "grocery"])} list', f'put {c(THINGS)} and {c(THINGS)} on the {c(["shopping ", ""])}list', f'remove {c(THINGS)} from {c(["my", "the"])} {c(["shopping ", ""])}list', f'buy {number(r.randint(2, 12))} {c(THINGS)}', f'we need {c(THINGS)} {c(THINGS)} and {c(THINGS)}', f'add {c(TASKS)} to my to do list', f'is {c(THINGS)} on {c(["my", "the"])} list', "what's on my list", 'clear the shopping list', f'how much {c(["is", "are", "does"])} the {c(THINGS)}{c(["", " cost"])}'])),
        # translation
        (3, lambda: c([f'how do you say {c(OBJECTS)} in {c(LANGUAGES)}', f'translate {c(OBJECTS)} {c(["to", "into"])} {c(LANGUAGES)}', f'what is {c(OBJECTS)} in {c(LANGUAGES)}', f'say {c(OBJECTS)} in {c(LANGUAGES)}', f'do you speak {c(LANGUAGES)}', f'I am learning {c(LANGUAGES)}', f'what does {c(THINGS)} mean in {c(LANGUAGES)}'])),
        # counting and digits
        (2, lambda: (lambda a, n: ' '.join(number(i) for i in range(a, a + n)))(c([0, 1, 1, 1, r.randint(1, 40)]), r.randint(3, 9))),
        (1, lambda: c([f'count {c(["up ", ""])}to {number(r.randint(2, 100))}', f'count from {number(r.randint(0, 20))} to {number(r.randint(21, 60))}', f'count {c(["down ", "backwards "])}from {number(r.randint(3, 30))}', f'pick a number between {number(r.randint(0, 9))} and {number(r.randint(10, 100))}', f'think of a number below {number(r.randint(10, 1000))}', f'roll a die with {number(r.randint(4, 20))} sides'])),
        (4, lambda: digit_string(r, 1, 8)),
        (2.5, lambda: c(['my number is ', 'the code is ', 'my phone number is ', 'call ', 'dial ', 'the pin is ', 'my pin is ', 'room ', 'flight ', 'page ', 'channel ', 'the password is ', 'the number is ', 'write down ', 'extension ', 'your code is ']) + digit_string(r, 2, 7)),
    ]
    weights = [w for w, _ in kinds]
    return ' '.join(r.choices(kinds, weights)[0][1]().split())


REL = 'mother father brother sister son daughter wife husband friend uncle aunt cousin boss neighbour teacher doctor dog cat grandmother grandfather'.split()
BAD = re.compile(r"[0-9@#$%^&*_=+<>/\\|~\[\]{}`()]|http|www|\.\w|\b[A-Z]{2,}\b|\b[B-HJ-NP-Zb-hj-z]\b(?!')|\b(Mr|Mrs|Ms|Dr|St|Prof|Jr|Sr|vs|etc|Inc|Co|Corp|ed|Vol|No)\.")


def normalise(text):
    """Lower-case words of a to z and apostrophes, one space between; None if it holds anything that is not spoken as written."""
    text = text.replace('’', "'").replace('‘', "'").replace('“', '"').replace('”', '"').replace('–', '-').replace('—', '-')
    if BAD.search(text) or not text.isascii(): return None
    words = [w.rstrip("'") for w in WORD.findall(text.lower())]
    return ' '.join(words)


def collector(limit_words):
    """take(s), which adds a fitting sentence to out once: (take, out)."""
    seen, out = set(), []

    def take(s):
        s = ' '.join(s.split()).strip(' "\'-;:,')
        n = normalise(s)
        if not n or n in seen: return
        words = n.split()
        if not limit_words[0] <= len(words) <= limit_words[1] or max(map(len, words)) > 16: return
        seen.add(n)
        out.append((s, n))
    return take, out


def definitions(limit_words=(3, 15)):
    """WordNet's definitions, without what stands in parentheses, in the form of open_sentences; further text for training."""
    take, out = collector(limit_words)
    for path in sorted(glob.glob('/usr/share/wordnet/data.*')):
        for line in open(path, encoding='latin1'):
            if ' | ' in line:
                for part in re.split(r';|"[^"]*"', re.sub(r'\([^)]*\)', ' ', line.split(' | ', 1)[1])): take(part)
    return out


def open_sentences(limit_words=(3, 15)):
    """Sentences from the fortunes and from WordNet's usage examples, as (spoken form, normalised form), each once."""
    take, out = collector(limit_words)
    offensive = {'art', 'ascii-art', 'cs', 'de', 'es', 'fr', 'ja', 'it', 'pt', 'sk', 'sv', 'tr', 'vi', 'zh_CN', 'zh_TW', 'pl', 'ru', 'tao', 'perl', 'translate-me', 'ar', 'debian-hints'}
    for path in sorted(glob.glob('/usr/share/games/fortunes/*')):
        name = os.path.basename(path)
        if '.' in name or name in offensive or not os.path.isfile(path): continue
        for cookie in open(path, encoding='utf8', errors='replace').read().split('\n%\n'):
            body = re.split(r'\n\s*--', cookie)[0]
            for s in re.split(r'(?<=[.!?])["\')]*\s+|\n\s*\n|\n(?=[A-Z][\w ]*:)', body):
                take(re.sub(r'^[A-Z][\w ]{0,12}:\s+', '', s))
    for path in sorted(glob.glob('/usr/share/wordnet/data.*')):
        for line in open(path, encoding='latin1'):
            if ' | ' in line:
                for quote in re.findall(r'"([^"]+)"', line.split(' | ', 1)[1]): take(quote)
    return out


def held_out(normalised):
    """'train', 'dev' or 'eval', by the text alone, so that a sentence is never on two sides."""
    h = int(hashlib.md5(normalised.encode()).hexdigest(), 16) % 1000
    return 'eval' if h < 25 else 'dev' if h < 45 else 'train'


CORE_TEXT = {normalise(p) for p in CORE + REPLIES} | set(DIGITS) | {number(i) for i in range(101)}


def domain_sentences(count, seed, side='train'):
    """`count` distinct-ish domain sentences of one side, as (spoken, normalised)."""
    r, out, seen = random.Random(seed), [], {}
    while len(out) < count:
        s = domain(r)
        n = ' '.join(WORD.findall(s.lower()))
        where = 'train' if n in CORE_TEXT else held_out(n)
        if where != side or seen.get(n, 0) >= (3 if side == 'train' else 1): continue
        seen[n] = seen.get(n, 0) + 1
        out.append((s, n))
    return out



def domain_sentences_quick(count, seed):
    """Training-side domain sentences as they come, repetitions included: for counting words."""
    r = random.Random(seed)
    for _ in range(count):
        s = domain(r)
        n = ' '.join(WORD.findall(s.lower()))
        if n in CORE_TEXT or held_out(n) == 'train': yield s, n
